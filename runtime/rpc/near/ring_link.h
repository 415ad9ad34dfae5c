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
#include <string_view>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/frame_stream.h"
#include "runtime/rpc/near/doorbell.h"
#include "runtime/rpc/near/ring_pair.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// What processes say to each other, over the transport below, before they use rings. The codec's description is its
// wire format.
struct RingWord {
  std::optional<RingOffer> offer;
  std::optional<bool> accepted;  // the offer: it is mapped, or it cannot be
  bool switched = false;         // what follows on this stream is in the ring
};

// Each direction by itself: asked -> offered -> accepted by the peer, whose offer is mapped too -> switched.
class RingLink {
 public:
  // Hands a frame to the transport below; called under the stream's lock.
  using Below = std::function<absl::Status(Stream, Frame)>;

  // `slot`: the peer's, in this process's bell.
  RingLink(Below below, size_t slot) : below_(std::move(below)), slot_(slot) {}

  // ---- getting to know each other; thread-safe, in any order
  // Whether Offer has been called.
  bool offered() const { return offered_; }
  // There will be no rings.
  void DoWithout() { offered_ = true; }
  // The first time, if there is memory: what the peer is to be told.
  std::optional<RingOffer> Offer(const Doorbell& bell);
  // Whether it can be mapped.
  bool OnOffer(const RingOffer& offer);
  void OnAccepted(bool accepted);
  // The peer's stream goes on in its ring. FailedPrecondition: it has none.
  absl::Status OnSwitched(Stream stream);

  // ---- sending; thread-safe
  // Through the ring if it is in use, else below, with `mark` behind its head; `switched` is said in between.
  // `in_ring`: bytes, when it was.
  absl::Status Send(Stream stream, Frame frame, std::string_view mark, const Frame& switched, size_t* in_ring);

  // ---- polling; one thread at a time
  // Appends frames that have come on the stream; `more`: perhaps not all of them, so that others have their turn.
  // InvalidArgument: it makes no sense, and nothing else will.
  absl::Status Read(Stream stream, std::vector<Frame>* frames, bool* more);
  // Writes what there was no room for; whether anything was written.
  bool Flush();

  // ---- the end
  // Nothing more is sent, or taken from below. Whether it is the first reason: that counts. Thread-safe.
  bool Lose(const absl::Status& why);
  // The transport below has told of the loss; whether that is news. Thread-safe.
  bool Told() { return !told_.exchange(true); }
  bool lost() const { return lost_; }
  size_t slot() const { return slot_; }
  absl::Status why_lost() const;
  // Lets go of the memory; of the thread that polls.
  void Forget();

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
  std::atomic<bool> offered_ = false;
  std::atomic<bool> lost_ = false;
  std::atomic<bool> told_ = false;

  mutable base::Mutex mutex_;
  bool accepted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_lost_ ABSL_GUARDED_BY(mutex_);
  // Written once, before `ready_`, and let go of by the thread that polls, under the streams' locks.
  std::optional<RingBlock> mine_;
  std::optional<RingBlock> theirs_;
  std::optional<Doorbell> bell_;  // the peer's
  size_t bell_slot_ = 0;          // this process's there
};

}  // namespace twinkle::rpc
