// A process of this machine, or one that might be, as its neighbour knows it.
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

// One incarnation of a peer: what has been said between the two, and what each has of the other's memory. Invariants:
//  NB1 Hello is said once, and each Hello that comes is answered;
//  NB2 nothing is shared with it before it has answered that it reads, and no ring is written before it has answered
//      that it has mapped the ring;
//  NB3 kLost is final: nothing is sent to it, and nothing is taken from it.
// Thread-safe.
class Neighbour {
 public:
  enum class State : uint8_t {
    kStranger,  // nothing was said to it
    kAsked,     // Hello was said
    kNear,      // it reads what this process has
    kFar,       // it does not: everything travels
    kGone,      // its loss is known, and what is left in its rings is being read
    kLost,      // it was given up here, or its loss was told
  };

  // `below` and `slot`: see RingLink.
  Neighbour(RingLink::Below below, size_t slot) : link_(std::move(below), slot) {}

  State state() const { return state_.load(std::memory_order_acquire); }
  bool is_over() const { return state() >= State::kGone; }
  // Why it is over.
  absl::Status why() const;

  // ---- getting to know each other
  // What it is to be told, the first time and if it may be near; else it is far.
  std::optional<Hello> Greet(bool may_be_near, const Probe& probe, const Rings& rings);
  // Maps what can be mapped of the peer's, and answers that.
  HelloAnswer OnHello(const Hello& hello, const Rings& rings, SharedBuffers* buffers);
  void OnAnswer(const HelloAnswer& answer);
  // The peer's stream goes on in its ring. FailedPrecondition: it has none.
  absl::Status OnSwitched(Stream stream);

  // ---- the end
  // The transport below has told its loss (kGone), or this side gives it up (kLost). The first reason counts.
  void OnLost(const absl::Status& why) { End(State::kGone, why); }
  void Lose(const absl::Status& why) { End(State::kLost, why); }
  // All that it sent has been read: kLost, and its memory is let go of, but for what is in use. Who maps what this
  // process has.
  base::ProcessMark LetGo();

  RingLink& link() { return link_; }
  // What it has, as it is mapped here; null: it has shown nothing.
  std::shared_ptr<const PeerMemory> memory() const;

 private:
  // The only place where the state changes. False: it does not follow the one that is.
  bool To(State next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(State end, const absl::Status& why);

  RingLink link_;
  std::atomic<State> state_ = State::kStranger;
  mutable base::Mutex mutex_;
  base::ProcessMark reader_ ABSL_GUARDED_BY(mutex_);  // which maps what this process has; without a pid: none does
  std::shared_ptr<const PeerMemory> memory_ ABSL_GUARDED_BY(mutex_);
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
