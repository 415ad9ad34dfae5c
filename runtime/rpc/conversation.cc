#include "runtime/rpc/conversation.h"

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::rpc {

// ---- connections
void Conversation::Add(Stream stream, const LinkPtr& link, bool works, bool broken) {
  Way& mine = way(stream);
  const bool better = broken && works && mine.out != nullptr && !Works(mine.out);
  const bool first = mine.out == nullptr || better;
  links_.push_back({stream, link, works});
  if (first) SayOn(mine, links_.back());
}

void Conversation::SayOn(Way& way, Link& chosen) {
  const LinkPtr& link = chosen.link;
  chosen.begun = true;
  way.out = link;
  way.arrivals->told = 0;  // it may not have come to the peer
  link->Begin(way.sent.acknowledged() + 1);
  for (const Frame& frame : way.sent.unacknowledged()) link->Write(frame);
  link->Acknowledge();
}

void Conversation::Works(Stream stream, const LinkPtr& link) {
  for (Link& one : links_) {
    if (one.link == link && one.stream == stream) one.works = true;
  }
}

bool Conversation::Works(const LinkPtr& link) const {
  return std::any_of(links_.begin(), links_.end(), [&](const Link& one) { return one.link == link && one.works; });
}

void Conversation::Remove(const LinkPtr& link) {
  for (const Link& one : links_) {
    if (one.link != link) continue;
    Way& mine = way(one.stream);
    mine.arrivals->told = 0;  // what it carried may not have come to the peer, whichever carries what is said
    if (mine.out != nullptr && mine.out != link) mine.out->Acknowledge();
  }
  links_.erase(std::remove_if(links_.begin(), links_.end(), [&](const Link& one) { return one.link == link; }),
               links_.end());
  for (Way& way : ways_) {
    if (way.out != link) continue;
    way.out = nullptr;
    const auto stream = static_cast<Stream>(&way - ways_.data());
    const auto other =
        std::find_if(links_.begin(), links_.end(), [&](const Link& one) { return one.stream == stream && !one.begun; });
    if (other != links_.end()) SayOn(way, *other);
  }
}

bool Conversation::complete() const {
  return std::all_of(ways_.begin(), ways_.end(), [&](const Way& way) { return way.out != nullptr && Works(way.out); });
}

std::vector<Conversation::LinkPtr> Conversation::links() const {
  std::vector<LinkPtr> all;
  all.reserve(links_.size());
  for (const Link& one : links_) all.push_back(one.link);
  return all;
}

// ---- frames
void Conversation::Say(Stream stream, Frame frame) {
  Way& mine = way(stream);
  const Frame& kept = mine.sent.Add(std::move(frame));
  if (mine.out != nullptr) mine.out->Write(kept);
}

absl::Status Conversation::Hear(Stream stream, uint64_t first, std::vector<Frame>* frames) {
  Way& mine = way(stream);
  TWINKLE_RETURN_IF_ERROR(mine.received.Take(first, frames));
  mine.arrivals->last = mine.received.last();
  return absl::OkStatus();
}

absl::Status Conversation::OnAcknowledged(Stream stream, uint64_t number, std::vector<Frame>* freed) {
  return way(stream).sent.Acknowledge(number, freed);
}

size_t Conversation::bytes_kept() const { return ways_[0].sent.bytes() + ways_[1].sent.bytes(); }

// ---- acknowledging
bool Conversation::AcknowledgeSoon(Stream stream) {
  Way& mine = way(stream);
  if (!mine.received.is_much()) return !std::exchange(mine.acknowledges, true);
  mine.received.Told();
  if (mine.out != nullptr) mine.out->Acknowledge();
  return false;
}

void Conversation::Acknowledge(Stream stream) {
  Way& mine = way(stream);
  mine.acknowledges = false;
  mine.received.Told();
  if (mine.out != nullptr) mine.out->Acknowledge();
}

}  // namespace twinkle::rpc
