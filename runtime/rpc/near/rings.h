// What lies in the rings of a process: who looks for it, when, and in which of them.
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

// The rings of a process with its neighbours: one bell, one poller, a link for each of them, which belongs to the
// owner. It knows no connections. Measured on two cores, a call and its reply: 40-110 us over a Unix socket, of which
// two thirds are the kernel waking somebody; 1 us here, while both sides look. Invariants:
//  RG1 what is in a ring is read by the thread that polls, and in the order in which it was written;
//  RG2 what is in the ring of a peer is read once more before Drain's end is told, and then no more.
// Thread-safe.
class Rings {
 public:
  // The links there are, in the order of their slots (Doorbell), counted on from one to the next. They only grow.
  struct Links {
    std::function<size_t()> count;
    std::function<std::vector<std::pair<ProcessId, RingLink*>>()> all;
  };
  // On the thread that polls.
  struct Events {
    std::function<void(ProcessId, Stream, std::vector<Frame>)> on_frames;
    std::function<void(ProcessId, const absl::Status&)> on_unreadable;  // nothing more comes on that stream
    std::function<void(ProcessId)> on_drained;                          // in the order of Drain
  };
  // Polls at once: what the functions use is there before, and until Close. Without `polling` there are no rings.
  Rings(const std::optional<Poller::Options>& polling, Links links, Events events);
  ~Rings() { Close(); }
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  // False: this process has none, for want of memory or of a thread, or by wish.
  bool there() const { return poller_ != nullptr; }
  // With which threads of this process wait; null if it has none.
  std::shared_ptr<base::WaitHelper> helper() const { return poller_; }

  // REQUIRES, of the next three: there().
  const Doorbell& bell() const { return *bell_; }
  // The peer goes on in its ring, which may be full already: it is looked into.
  void Wake(const RingLink& link);
  // The peer is gone: what is in its ring is read, then the link forgets its memory. The peer may have ended while it
  // was to wake somebody.
  void Drain(ProcessId peer, RingLink* link);

  // Nobody polls any more once this has returned. Idempotent; not from within an event.
  void Close();

 private:
  // Those that have rung, or all. How many frames, and pieces of frames sent, there were.
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

  // Of the thread that polls.
  std::vector<std::pair<ProcessId, RingLink*>> polled_;  // by slot
  uint64_t polls_ = 0;
};

}  // namespace twinkle::rpc
