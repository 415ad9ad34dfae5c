#include "runtime/rpc/near/ring_transport.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

// What a frame on the transport below ends with.
constexpr char kPlain = 'f';  // it is the receiver's
constexpr char kWord = 'w';

Frame FrameOf(const RingWord& word) {
  Frame frame{codec::Encode(codec::Hold(word), nullptr, SIZE_MAX)->head, {}};
  frame.head += kWord;
  return frame;
}

// What precedes the first frame in a ring.
const Frame& SwitchedFrame() {
  static const Frame& frame = *new Frame([] {
    RingWord word;
    word.switched = true;
    return FrameOf(word);
  }());
  return frame;
}

}  // namespace

// ---- life
RingTransport::RingTransport(Options options, std::unique_ptr<Transport> below)
    : options_(std::move(options)),
      below_(std::move(below)),
      rings_(options_.polling, {[this] { return links_.size(); }, [this] { return links_.All(); }},
             {[this](ProcessId from, Stream stream, std::vector<Frame> frames) {
                Deliver(from, stream, std::move(frames));
              },
              [this](ProcessId peer, const absl::Status& why) { LoseUnread(peer, why); },
              [this](ProcessId peer) { TellLoss(peer); }}) {}

RingTransport::~RingTransport() { Close(); }

void RingTransport::Start(Receiver* receiver, base::TaskQueue* queue) {
  receiver_ = receiver;
  queue_ = queue;
  below_->Start(this, queue);
}

void RingTransport::Close() {
  if (!open_->exchange(false)) return;
  rings_.Close();
  below_->Close();
}

// ---- sending
RingLink& RingTransport::LinkTo(ProcessId peer) {
  return links_.At(peer, [this, peer](size_t links) {
    return std::make_unique<RingLink>(
        [this, peer](Stream stream, Frame frame) { return below_->Send(peer, stream, std::move(frame)); },
        links % Doorbell::kSlots);
  });
}

absl::Status RingTransport::Send(ProcessId to, Stream stream, Frame frame) {
  if (!*open_) return absl::CancelledError("this process has left its job");
  if (to == options_.self || !rings_.there()) {
    frame.head += kPlain;
    return below_->Send(to, stream, std::move(frame));
  }
  RingLink& link = LinkTo(to);
  if (link.lost()) return absl::UnavailableError(link.why_lost().message());
  if (!link.offered()) Offer(to, link);
  size_t in_ring = 0;
  TWINKLE_RETURN_IF_ERROR(link.Send(stream, std::move(frame), {&kPlain, 1}, SwitchedFrame(), &in_ring));
  if (in_ring > 0) {
    frames_.fetch_add(1, std::memory_order_relaxed);
    options_.traffic->rings.sent.fetch_add(in_ring, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

void RingTransport::Offer(ProcessId to, RingLink& link) {
  if (!options_.is_near(to)) return link.DoWithout();
  RingWord word;
  word.offer = link.Offer(rings_.bell());
  if (word.offer) Say(to, word);
}

void RingTransport::Say(ProcessId to, const RingWord& word) {
  below_->Send(to, Stream::kControl, FrameOf(word)).IgnoreError();  // else it is lost, and that is told
}

// ---- receiving, from below
void RingTransport::OnFrame(ProcessId from, Stream stream, Frame frame) {
  const char kind = frame.head.empty() ? '\0' : frame.head.back();
  if (kind != '\0') frame.head.pop_back();
  if (kind == kPlain) {
    if (from != options_.self && rings_.there() && LinkTo(from).lost()) return;
    return receiver_->OnFrame(from, stream, std::move(frame));
  }
  absl::StatusOr<RingWord> word = absl::InvalidArgumentError("a frame of no kind");
  if (kind == kWord) word = codec::DecodeAs<RingWord>(frame.head, frame.buffers);
  const absl::Status understood = word.ok() ? OnWord(from, stream, *word) : word.status();
  if (!understood.ok()) LoseUnread(from, understood);
}

absl::Status RingTransport::OnWord(ProcessId from, Stream stream, const RingWord& word) {
  RingLink& link = LinkTo(from);
  if (word.offer) {
    RingWord answer;
    answer.accepted = rings_.there() && link.OnOffer(*word.offer);
    Say(from, answer);
    if (rings_.there() && !link.offered()) Offer(from, link);
  }
  if (word.accepted) link.OnAccepted(*word.accepted);
  if (word.switched) {
    TWINKLE_RETURN_IF_ERROR(link.OnSwitched(stream));
    rings_.Wake(link);
  }
  return absl::OkStatus();
}

// Nothing that it sends can be understood from here on.
void RingTransport::LoseUnread(ProcessId peer, const absl::Status& why) {
  base::Log(base::LogLevel::kError, absl::StrCat("what process ", peer, " sends cannot be read: ", why.message()));
  Lose(peer, absl::UnavailableError(absl::StrCat("what it sends cannot be read: ", why.message())));
}

void RingTransport::Lose(ProcessId peer, const absl::Status& why) {
  if (rings_.there() && peer != options_.self) LinkTo(peer).Lose(why);
  below_->Lose(peer, why);
}

void RingTransport::OnLost(ProcessId peer, const absl::Status& why) {
  if (!rings_.there()) return receiver_->OnLost(peer, why);
  RingLink& link = LinkTo(peer);
  link.Lose(why);
  if (link.Told()) rings_.Drain(peer, &link);
}

// ---- receiving, from rings
void RingTransport::Deliver(ProcessId from, Stream stream, std::vector<Frame> frames) {
  for (const Frame& frame : frames) {
    options_.traffic->rings.received.fetch_add(frame.bytes(), std::memory_order_relaxed);
  }
  queue_->Post([receiver = receiver_, open = open_, from, stream, frames = std::move(frames)]() mutable {
    for (Frame& frame : frames) {
      if (*open) receiver->OnFrame(from, stream, std::move(frame));
    }
  });
}

void RingTransport::TellLoss(ProcessId peer) {
  queue_->Post([receiver = receiver_, open = open_, peer, why = LinkTo(peer).why_lost()] {
    if (*open) receiver->OnLost(peer, why);
  });
}

}  // namespace twinkle::rpc
