#include "runtime/rpc/near/rings.h"

namespace twinkle::rpc {
namespace {

// The polls between two looks at all links. A process that is always busy never sleeps, and so would not look
// everywhere otherwise.
constexpr uint64_t kPollsBetween = 1024;

}  // namespace

Rings::Rings(const std::optional<Poller::Options>& polling, Links links, Events events)
    : links_(std::move(links)), events_(std::move(events)) {
  if (!polling) return;
  absl::StatusOr<Doorbell> bell = Doorbell::Make();
  if (!bell.ok()) return;
  bell_ = std::make_shared<const Doorbell>(*std::move(bell));
  poller_ = Poller::Start(
      bell_, [this](bool everywhere) { return Poll(everywhere); }, *polling);
}

void Rings::Close() {
  if (poller_ != nullptr) poller_->Close();
}

void Rings::Wake(const RingLink& link) {
  bell_->Mark(link.slot());
  bell_->WakeAll();
}

void Rings::Drain(ProcessId peer, RingLink* link) {
  {
    base::MutexLock lock(&mutex_);
    draining_.emplace_back(peer, link);
    any_draining_ = true;
  }
  bell_->WakeAll();
}

size_t Rings::Poll(bool everywhere) {
  if (polled_.size() != links_.count()) polled_ = links_.all();
  size_t found = 0;
  if (everywhere || ++polls_ % kPollsBetween == 0) {
    for (const auto& [peer, link] : polled_) found += PollLink(peer, *link);
  } else {
    bell_->TakeMarks(polled_.size(), [&](size_t slot) {
      if (slot >= polled_.size()) polled_ = links_.all();  // the link was made meanwhile
      for (size_t i = slot; i < polled_.size(); i += Doorbell::kSlots) {
        found += PollLink(polled_[i].first, *polled_[i].second);
      }
    });
  }
  if (any_draining_) EndDrained();
  return found;
}

size_t Rings::PollLink(ProcessId peer, RingLink& link) {
  size_t found = link.Flush() ? 1 : 0;
  for (const Stream stream : {Stream::kControl, Stream::kData}) {
    std::vector<Frame> frames;
    bool more = false;
    const absl::Status read = link.Read(stream, &frames, &more);
    if (more) bell_->Ring(link.slot());
    found += frames.size();
    if (!frames.empty()) events_.on_frames(peer, stream, std::move(frames));
    if (!read.ok()) events_.on_unreadable(peer, read);
  }
  return found;
}

void Rings::EndDrained() {
  std::vector<std::pair<ProcessId, RingLink*>> draining;
  {
    base::MutexLock lock(&mutex_);
    draining.swap(draining_);
    any_draining_ = false;
  }
  for (const auto& [peer, link] : draining) {
    PollLink(peer, *link);
    link->Forget();
    events_.on_drained(peer);
  }
}

}  // namespace twinkle::rpc
