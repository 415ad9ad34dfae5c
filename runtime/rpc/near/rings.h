// Rings: polls the rings of a process with all of its neighbours.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/near/doorbell.h"
#include "runtime/rpc/near/poller.h"
#include "runtime/rpc/near/ring_link.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// The rings of a process with its neighbours: one bell, one poller, and a link for each neighbour, which the owner
// keeps. It knows nothing of connections. Measured on two cores, a call and its reply take 40-110 us over a Unix
// socket, two thirds of it for the kernel to wake somebody, and 1 us here while both sides poll. Thread-safe.
// Invariants:
//  RG1 what is in a ring is read by the thread that polls, in the order in which it was written;
//  RG2 the rings of a peer are read once more before on_drained is called for it, and then no more.
class Rings {
 public:
  // The links with all neighbours, in the order of their slots (Doorbell), which are numbered from 0. They only grow.
  struct Links {
    std::function<size_t()> count;
    std::function<std::vector<std::pair<ProcessId, RingLink*>>()> all;
  };
  // Callbacks on the thread that polls.
  struct Events {
    std::function<void(ProcessId, Stream, std::vector<Frame>)> on_frames;
    std::function<void(ProcessId, const absl::Status&)> on_unreadable;  // nothing more is read from that stream
    std::function<void(ProcessId)> on_drained;                          // in the order of the calls of Drain
  };
  // Polls from its construction on, so what the functions use must exist before, and until Close. Without `polling`
  // there are no rings.
  Rings(const std::optional<Poller::Options>& polling, Links links, Events events);
  ~Rings() { Close(); }
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  // Whether this process has rings. False: it lacks memory or a thread for them, or wants none.
  bool there() const { return poller_ != nullptr; }
  // The helper in which threads of this process wait; null: there are no rings.
  std::shared_ptr<base::WaitHelper> helper() const { return poller_; }

  // The next three functions require there().
  const Doorbell& bell() const { return *bell_; }
  // The peer has switched a stream to its ring, which may be full already; makes sure that it is polled.
  void Wake(const RingLink& link);
  // The peer is gone: reads what is in its rings, then lets the link forget its memory and calls on_drained. Looks even
  // though nobody rang, since the peer may have ended before it did.
  void Drain(ProcessId peer, RingLink* link);

  // Ends polling: when it returns no event runs. Must not be called from within an event. Further calls do nothing.
  void Close();

 private:
  // Polls the links that have rung, or all. Returns how many frames were read, and how many links wrote bytes that had
  // waited.
  size_t Poll(bool everywhere);
  size_t PollLink(ProcessId peer, RingLink& link);
  void EndDrained();

  const Links links_;
  const Events events_;
  std::shared_ptr<const Doorbell> bell_;
  std::shared_ptr<Poller> poller_;  // null: there are no rings
  base::Mutex mutex_;
  std::vector<std::pair<ProcessId, RingLink*>> draining_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> any_draining_ = false;

  // Confined to the thread that polls.
  std::vector<std::pair<ProcessId, RingLink*>> polled_;  // links, by slot
  uint64_t polls_ = 0;
};

}  // namespace twinkle::rpc
