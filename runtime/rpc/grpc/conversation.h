// Conversation: what two processes send each other, whichever connections carry it.
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

// Counters of a stream's frames from the peer: how many have arrived, and how many of these the peer was told of.
// Written by whoever receives; read by the connections, which tell the peer.
struct Arrivals {
  std::atomic<uint64_t> last = 0;
  std::atomic<uint64_t> told = 0;
};

// One process's side of both streams with one peer. A stream may have several connections, for both sides may make one,
// and a broken one is made again. Frames are numbered and kept, so that they survive a connection. For one thread at a
// time: guarded by the owner's lock. Invariants:
//  CV1 a stream's frames are written to one connection, the first there was; when that ends, to another, from the first
//      frame on that the peer has not acknowledged;
//  CV2 each frame is received once, in the order of the numbers, whichever connections bring it, and however often;
//  CV3 a frame is kept until the peer has acknowledged it;
//  CV4 nothing is written to a connection before the peer has answered on it, and then no more than it has room for: an
//      attempt at a connection costs nothing, however much is kept.
class Conversation {
 public:
  using LinkPtr = std::shared_ptr<FrameLink>;

  // ---- connections (links)
  const std::shared_ptr<Arrivals>& arrivals(Stream stream) const { return way(stream).arrivals; }
  // Adds a connection of a stream. `works`: the peer has answered on it. If `broken`, such a connection takes over from
  // one on which the peer has not answered. The latter stays, but carries nothing: the peer may just have chosen it, if
  // the two attempts crossed.
  void Add(Stream stream, const LinkPtr& link, bool works, bool broken);
  // The peer has answered on a connection. Must be called after OnAcknowledged, if the answer acknowledges, too.
  void Works(Stream stream, const LinkPtr& link);
  // A connection that had no room has room again.
  void OnRoom(Stream stream, const LinkPtr& link);
  // A connection has ended.
  void Remove(const LinkPtr& link);
  // Whether a stream has a connection to write to; and whether both streams have one on which the peer has answered.
  bool carried(Stream stream) const { return way(stream).out != nullptr; }
  bool complete() const;
  std::vector<LinkPtr> links() const;
  bool has_links() const { return !links_.empty(); }

  // ---- frames
  // Sends a frame: numbers and keeps it, and writes it when there is a connection with room.
  void Say(Stream stream, Frame frame);
  // Receives frames, as ReceivedFrames::Take does.
  absl::Status Hear(Stream stream, uint64_t first, std::vector<Frame>* frames);
  // The peer has acknowledged frames, as SentFrames::Acknowledge says.
  absl::Status OnAcknowledged(Stream stream, uint64_t number, std::vector<Frame>* freed);
  // The number of frames that were received on a stream.
  uint64_t heard(Stream stream) const { return way(stream).received.last(); }
  // The bytes of frames that are not acknowledged.
  size_t bytes_kept() const;
  // Whether frames of a stream wait for a connection.
  bool has_unsaid(Stream stream) const {
    const SentFrames& sent = way(stream).sent;
    return !carried(stream) && sent.last() != sent.acknowledged();
  }

  // ---- acknowledging
  // Tells the peer of received frames, now if they are many. Must be called after Hear. True: Acknowledge must be
  // called in a while.
  bool AcknowledgeSoon(Stream stream);
  // Tells the peer now.
  void Acknowledge(Stream stream);

 private:
  struct Link {
    Stream stream;
    LinkPtr link;
    bool works = false;
    bool begun = false;  // something was written to it
  };
  // This side of one stream.
  struct Way {
    SentFrames sent;
    ReceivedFrames received;
    LinkPtr out;                // the connection that it writes to; null: none
    uint64_t next = 0;          // number of the next frame for it; 0: nothing may be written to it yet
    bool has_room = false;      // whether `out` has room
    bool acknowledges = false;  // a call of Acknowledge was asked for
    std::shared_ptr<Arrivals> arrivals = std::make_shared<Arrivals>();
  };
  Way& way(Stream stream) { return ways_[static_cast<size_t>(stream)]; }
  const Way& way(Stream stream) const { return ways_[static_cast<size_t>(stream)]; }
  bool Works(const LinkPtr& link) const;
  // Makes a connection the one to write to; null: there is none.
  void Choose(Way& way, Link* chosen);
  // Begins to write to a connection, from the first frame on that was not acknowledged.
  void BeginOn(Way& way, Link& chosen);
  // Writes frames as long as there is room.
  void Feed(Way& way);

  std::array<Way, 2> ways_;
  std::vector<Link> links_;
};

}  // namespace twinkle::rpc
