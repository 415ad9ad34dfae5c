// What two processes have to say to each other, whatever connections carry it.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/rpc/grpc/frame_link.h"
#include "runtime/rpc/grpc/numbered_frames.h"

namespace twinkle::rpc {

// How many frames of a stream have come from the peer, and how many of them it was told of: written by whoever hears
// and read by the connections, for what they send.
struct Arrivals {
  std::atomic<uint64_t> last = 0;
  std::atomic<uint64_t> told = 0;
};

// One process's side of both streams with one peer. A stream may have several connections, since both sides may make
// one, and a broken one is made again. Invariants:
//  CV1 what is said on a stream is written to one connection, the first there was; when that ends to another, from the
//      first frame on that the peer has not acknowledged;
//  CV2 each frame is heard once, in the order of the numbers, whatever connections bring it how often;
//  CV3 a frame is kept until the peer has acknowledged it;
//  CV4 nothing is written to a connection before the peer has answered on it, and then no more than it has room for: an
//      attempt at a connection costs nothing, however much is kept.
// Not thread-safe: the owner's lock.
class Conversation {
 public:
  using LinkPtr = std::shared_ptr<FrameLink>;

  // ---- connections
  const std::shared_ptr<Arrivals>& arrivals(Stream stream) const { return way(stream).arrivals; }
  // `works`: the peer has answered on it. Such a one takes over from one of which that is not known, if `broken`; that
  // one stays, since the peer, whose attempt it crossed, may just have chosen it. It carries nothing.
  void Add(Stream stream, const LinkPtr& link, bool works, bool broken);
  // The peer has answered on it; after OnAcknowledged, if it has said that, too.
  void Works(Stream stream, const LinkPtr& link);
  // It had none, and has some again.
  void OnRoom(Stream stream, const LinkPtr& link);
  // It has ended.
  void Remove(const LinkPtr& link);
  // Whether there is one for what is said on the stream; whether both streams have one on which the peer has answered.
  bool carried(Stream stream) const { return way(stream).out != nullptr; }
  bool complete() const;
  std::vector<LinkPtr> links() const;
  bool has_links() const { return !links_.empty(); }

  // ---- frames
  void Say(Stream stream, Frame frame);
  // As ReceivedFrames::Take.
  absl::Status Hear(Stream stream, uint64_t first, std::vector<Frame>* frames);
  // As SentFrames::Acknowledge.
  absl::Status OnAcknowledged(Stream stream, uint64_t number, std::vector<Frame>* freed);
  uint64_t heard(Stream stream) const { return way(stream).received.last(); }
  size_t bytes_kept() const;
  bool has_unsaid(Stream stream) const {
    const SentFrames& sent = way(stream).sent;
    return !carried(stream) && sent.last() != sent.acknowledged();
  }

  // ---- acknowledging
  // After Hear. True: somebody is to call Acknowledge in a while.
  bool AcknowledgeSoon(Stream stream);
  void Acknowledge(Stream stream);

 private:
  struct Link {
    Stream stream;
    LinkPtr link;
    bool works = false;
    bool begun = false;  // something was written to it
  };
  struct Way {
    SentFrames sent;
    ReceivedFrames received;
    LinkPtr out;                // of links_
    uint64_t next = 0;          // number of the frame that is to be written to it next; 0: none yet
    bool has_room = false;      // `out` has
    bool acknowledges = false;  // soon
    std::shared_ptr<Arrivals> arrivals = std::make_shared<Arrivals>();
  };
  Way& way(Stream stream) { return ways_[static_cast<size_t>(stream)]; }
  const Way& way(Stream stream) const { return ways_[static_cast<size_t>(stream)]; }
  bool Works(const LinkPtr& link) const;
  void Choose(Way& way, Link* chosen);
  void BeginOn(Way& way, Link& chosen);
  void Feed(Way& way);

  std::array<Way, 2> ways_;
  std::vector<Link> links_;
};

}  // namespace twinkle::rpc
