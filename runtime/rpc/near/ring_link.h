// RingLink: how frames get to one neighbour and come from it, through rings of memory.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/frame_stream.h"
#include "runtime/rpc/near/doorbell.h"
#include "runtime/rpc/near/near_word.h"
#include "runtime/rpc/near/ring_pair.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// The link with one peer: a ring for each stream and direction, and the transport below until the rings are ready. Each
// stream is switched to its ring when both sides have mapped the other's and that was said. Frames that find no room in
// a ring wait here, so sending never blocks. The owner must not make or map anything any more after Forget.
class RingLink {
 public:
  // Hands a frame to the transport below. Called under the stream's lock.
  using Below = std::function<absl::Status(Stream, Frame)>;

  // `slot`: the peer's slot in this process's bell.
  RingLink(Below below, size_t slot) : below_(std::move(below)), slot_(slot) {}

  // ---- introductions; thread-safe, in any order, each once
  // Makes the rings that this side writes. Returns where the peer finds them; nothing: there is no memory for them.
  std::optional<RingOffer> MakeMine(const std::string& nonce, const Doorbell& bell);
  // Maps the rings that the peer writes. False: they cannot be mapped.
  bool MapTheirs(int pid, const std::string& nonce, const RingOffer& offer);
  // The peer has answered whether it has mapped this side's rings.
  void OnAnswer(bool mapped);
  // The peer has switched a stream to its ring. FailedPrecondition: it has no ring, or has switched already.
  absl::Status OnSwitched(Stream stream);

  // ---- sending; thread-safe
  // Sends a frame through the ring, or below before that is ready. `switched` is sent below between the two. `in_ring`:
  // set to the frame's bytes if it went through the ring. Errors: those of the transport below.
  absl::Status Send(Stream stream, Frame frame, const Frame& switched, size_t* in_ring);

  // ---- polling; for one thread at a time
  // Appends the frames that have come on the stream. `more`: the ring may hold more, which is left for the next poll,
  // so that other peers have their turn. InvalidArgument: the bytes are no frames, and nothing more can be read.
  absl::Status Read(Stream stream, std::vector<Frame>* frames, bool* more);
  // Writes frames that found no room before. Returns whether anything was written.
  bool Flush();

  // Lets go of the rings' memory. Nothing more is read, and frames go below, where the peer is lost.
  void Forget();

  size_t slot() const { return slot_; }

 private:
  // The sending side of a stream.
  struct Outgoing {
    base::Mutex mutex;
    std::optional<RingWriter> writer ABSL_GUARDED_BY(mutex);
    std::deque<codec::Buffer> waiting ABSL_GUARDED_BY(mutex);  // bytes that found no room
    std::atomic<bool> waits = false;                           // whether there are any, to be read without the lock
  };
  // The receiving side of a stream.
  struct Incoming {
    std::atomic<bool> switched = false;
    std::optional<RingReader> reader;  // set before `switched`
    FrameReader frames;
  };
  // Writes a frame to the ring, or lets it wait. `written`: bytes that are done with, to be destroyed without the lock.
  void Push(Outgoing& out, const Frame& frame, std::vector<codec::Buffer>* written)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(out.mutex);
  // Writes what waits, as far as there is room. Returns whether anything was written.
  bool Drain(Outgoing& out, std::vector<codec::Buffer>* written) ABSL_EXCLUSIVE_LOCKS_REQUIRED(out.mutex);

  const Below below_;
  const size_t slot_;
  std::array<Outgoing, 2> outgoing_;
  std::array<Incoming, 2> incoming_;
  std::atomic<bool> ready_ = false;  // each has mapped the other's rings

  base::Mutex mutex_;
  bool mine_is_mapped_ ABSL_GUARDED_BY(mutex_) = false;
  // Set once, before `ready_`. Let go of by the thread that polls, under the streams' locks.
  std::optional<RingBlock> mine_;    // what this side writes
  std::optional<RingBlock> theirs_;  // what the peer writes
  std::optional<Doorbell> bell_;     // the peer's bell
  size_t bell_slot_ = 0;             // this process's slot in it
};

}  // namespace twinkle::rpc
