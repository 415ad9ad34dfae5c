// Neighbour: what a process knows of a peer on its machine, or of one that might be there.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/base/mutex.h"
#include "runtime/base/process_mark.h"
#include "runtime/rpc/near/near_word.h"
#include "runtime/rpc/near/probe.h"
#include "runtime/rpc/near/ring_link.h"
#include "runtime/rpc/near/rings.h"
#include "runtime/rpc/near/shared_buffers.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// One incarnation of a peer: what the two have told each other, and what each has mapped of the other's memory.
// Thread-safe. Invariants:
//  NB1 Hello is sent once, and each Hello that comes is answered;
//  NB2 nothing is shared with the peer before it has answered that it reads, and no ring is written before it has
//      answered that it has mapped the ring;
//  NB3 kLost is final: nothing is sent to the peer, and nothing is taken from it.
class Neighbour {
 public:
  enum class State : uint8_t {
    kStranger,  // nothing was sent to it
    kAsked,     // Hello was sent
    kNear,      // it can map this process's memory
    kFar,       // it cannot: everything is sent below
    kGone,      // the transport below has lost it, and what is left in its rings is being read
    kLost,      // this side has given it up, or the receiver was told of its loss
  };

  // `below` and `slot`: see RingLink.
  Neighbour(RingLink::Below below, size_t slot) : link_(std::move(below), slot) {}

  State state() const { return state_.load(std::memory_order_acquire); }
  bool is_over() const { return state() >= State::kGone; }
  // Why the peer is over: the first reason given.
  absl::Status why() const;

  // ---- introductions
  // The Hello to send; called before the first frame. Nothing: it was sent already, or the peer is far, for it is not
  // near or this process has no memory to show.
  std::optional<Hello> Greet(bool may_be_near, const Probe& probe, const Rings& rings);
  // Maps what can be mapped of the peer, and returns the answer that says what that was.
  HelloAnswer OnHello(const Hello& hello, const Rings& rings, SharedBuffers* buffers);
  // The peer has answered Hello: it is near or far.
  void OnAnswer(const HelloAnswer& answer);
  // The peer has switched a stream to its ring. FailedPrecondition: it is over, or has no ring for it.
  absl::Status OnSwitched(Stream stream);

  // ---- the end
  // The transport below has lost the peer (kGone), or this side gives it up (kLost). The first reason counts.
  void OnLost(const absl::Status& why) { End(State::kGone, why); }
  void Lose(const absl::Status& why) { End(State::kLost, why); }
  // Ends the peer once everything that it sent was read: kLost, and its memory is let go of, except for what is in use.
  // Returns the process that maps this process's memory; without a pid: none does.
  base::ProcessMark LetGo();

  RingLink& link() { return link_; }
  // The peer's memory as this process maps it; null: it has shown none.
  std::shared_ptr<const PeerMemory> memory() const;

 private:
  // Changes the state; the only place that does. False: `next` may not follow the current state.
  bool To(State next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(State end, const absl::Status& why);

  RingLink link_;
  std::atomic<State> state_ = State::kStranger;
  mutable base::Mutex mutex_;
  // The process that maps this one's memory; without a pid: none does.
  base::ProcessMark reader_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const PeerMemory> memory_ ABSL_GUARDED_BY(mutex_);
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
