#include "runtime/rpc/grpc/conversation.h"

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
  if (first) Choose(mine, &links_.back());
}

void Conversation::Choose(Way& way, Link* chosen) {
  way.out = chosen == nullptr ? nullptr : chosen->link;
  way.next = 0;
  way.has_room = false;
  if (chosen != nullptr && chosen->works) BeginOn(way, *chosen);
}

void Conversation::BeginOn(Way& way, Link& chosen) {
  chosen.begun = true;
  way.arrivals->told = 0;  // what was told may not have reached the peer
  way.next = way.sent.acknowledged() + 1;
  way.has_room = true;
  way.out->Begin(way.next);
  Feed(way);
  way.out->Acknowledge();
}

void Conversation::Feed(Way& way) {
  while (way.has_room && way.next <= way.sent.last()) way.has_room = way.out->Write(way.sent.At(way.next++));
}

void Conversation::OnRoom(Stream stream, const LinkPtr& link) {
  Way& mine = way(stream);
  if (mine.out != link || mine.next == 0) return;
  mine.has_room = true;
  Feed(mine);
}

void Conversation::Works(Stream stream, const LinkPtr& link) {
  for (Link& one : links_) {
    if (one.link != link || one.stream != stream || std::exchange(one.works, true)) continue;
    Way& mine = way(stream);
    if (mine.out == link) BeginOn(mine, one);
  }
}

bool Conversation::Works(const LinkPtr& link) const {
  return std::any_of(links_.begin(), links_.end(), [&](const Link& one) { return one.link == link && one.works; });
}

void Conversation::Remove(const LinkPtr& link) {
  for (const Link& one : links_) {
    if (one.link != link) continue;
    Way& mine = way(one.stream);
    // The last acknowledgement may have been lost with the link, so the stream's connection repeats it.
    mine.arrivals->told = 0;
    if (mine.out != nullptr && mine.out != link) mine.out->Acknowledge();
  }
  links_.erase(std::remove_if(links_.begin(), links_.end(), [&](const Link& one) { return one.link == link; }),
               links_.end());
  for (const Stream stream : {Stream::kData, Stream::kControl}) {
    Way& mine = way(stream);
    if (mine.out != link) continue;
    Link* other = nullptr;  // a link that works, if there is one
    for (Link& one : links_) {
      if (one.stream != stream || one.begun) continue;
      if (other == nullptr || (one.works && !other->works)) other = &one;
    }
    Choose(mine, other);
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
  mine.sent.Add(std::move(frame));
  Feed(mine);
}

absl::Status Conversation::Hear(Stream stream, uint64_t first, std::vector<Frame>* frames) {
  Way& mine = way(stream);
  TWINKLE_RETURN_IF_ERROR(mine.received.Take(first, frames));
  mine.arrivals->last = mine.received.last();
  return absl::OkStatus();
}

absl::Status Conversation::OnAcknowledged(Stream stream, uint64_t number, std::vector<Frame>* freed) {
  Way& mine = way(stream);
  TWINKLE_RETURN_IF_ERROR(mine.sent.Acknowledge(number, freed));
  if (mine.next == 0 || mine.next > mine.sent.acknowledged()) return absl::OkStatus();
  mine.next = mine.sent.acknowledged() + 1;  // another connection had carried the rest
  mine.out->Begin(mine.next);
  return absl::OkStatus();
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
