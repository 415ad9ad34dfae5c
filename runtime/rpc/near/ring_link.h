// What a process has to do with one peer that it shares rings with.
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

// How frames get to one peer and come from it: below, and each stream in its ring once both have mapped the other's and
// that was said. Whose peer it is sees to it that nothing is made or mapped any more after Forget.
class RingLink {
 public:
  // Hands a frame to the transport below; called under the stream's lock.
  using Below = std::function<absl::Status(Stream, Frame)>;

  // `slot`: the peer's, in this process's bell.
  RingLink(Below below, size_t slot) : below_(std::move(below)), slot_(slot) {}

  // ---- getting to know each other; thread-safe, in any order, each once
  // Makes what this side writes: where the peer finds it. Nothing: there is no memory for it.
  std::optional<RingOffer> MakeMine(const std::string& nonce, const Doorbell& bell);
  // Maps what the peer writes; whether that can be done.
  bool MapTheirs(int pid, const std::string& nonce, const RingOffer& offer);
  // Whether the peer has mapped what this side writes.
  void OnAnswer(bool mapped);
  // The peer's stream goes on in its ring. FailedPrecondition: it has none, or is there already.
  absl::Status OnSwitched(Stream stream);

  // ---- sending; thread-safe
  // Through the ring if there is one, else below; `switched` is said in between. `in_ring`: bytes, when it was.
  absl::Status Send(Stream stream, Frame frame, const Frame& switched, size_t* in_ring);

  // ---- polling; one thread at a time
  // Appends frames that have come on the stream; `more`: perhaps not all of them, so that others have their turn.
  // InvalidArgument: it makes no sense, and nothing else will.
  absl::Status Read(Stream stream, std::vector<Frame>* frames, bool* more);
  // Writes what there was no room for; whether anything was written.
  bool Flush();

  // Lets go of the memory: nothing more is read, and frames go below, which has lost the peer.
  void Forget();

  size_t slot() const { return slot_; }

 private:
  struct Outgoing {
    base::Mutex mutex;
    std::optional<RingWriter> writer ABSL_GUARDED_BY(mutex);
    std::deque<codec::Buffer> waiting ABSL_GUARDED_BY(mutex);  // for room
    std::atomic<bool> waits = false;
  };
  struct Incoming {
    std::atomic<bool> switched = false;
    std::optional<RingReader> reader;  // written before `switched`
    FrameReader frames;
  };
  void Push(Outgoing& out, const Frame& frame, std::vector<codec::Buffer>* written)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(out.mutex);
  bool Drain(Outgoing& out, std::vector<codec::Buffer>* written) ABSL_EXCLUSIVE_LOCKS_REQUIRED(out.mutex);

  const Below below_;
  const size_t slot_;
  std::array<Outgoing, 2> outgoing_;
  std::array<Incoming, 2> incoming_;
  std::atomic<bool> ready_ = false;  // both have mapped the other's

  base::Mutex mutex_;
  bool mine_is_mapped_ ABSL_GUARDED_BY(mutex_) = false;
  // Written once, before `ready_`, and let go of by the thread that polls, under the streams' locks.
  std::optional<RingBlock> mine_;
  std::optional<RingBlock> theirs_;
  std::optional<Doorbell> bell_;  // the peer's
  size_t bell_slot_ = 0;          // this process's there
};

}  // namespace twinkle::rpc
