// Says to the threads that work for something that nobody wants it any more: those that run, and those that wait.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <atomic>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"

namespace twinkle::base {

// Thread-safe. Invariants:
//  E1 it is cancelled once, and keeps the first reason;
//  E2 a thread in WaitUntil leaves it as soon as it is cancelled, whatever becomes of the event.
class Cancellation {
 public:
  // `why` is not OK. False: it was cancelled before.
  bool Cancel(const absl::Status& why);
  bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }
  // OK until it is cancelled.
  absl::Status why() const;
  // IsCancelled(), for those who keep nothing else of it.
  const std::atomic<bool>& flag() const { return cancelled_; }

  // As event.WaitUntil(deadline), but ends when this is cancelled, too. Whether the event is set.
  bool WaitUntil(const Event& event, Instant deadline);

 private:
  mutable Mutex mutex_;
  std::atomic<bool> cancelled_ = false;  // written under the lock
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
  absl::InlinedVector<const Event*, 1> waited_for_ ABSL_GUARDED_BY(mutex_);  // by threads in WaitUntil
};

// Of what the calling thread works for; null: of nothing that could be cancelled.
Cancellation* CurrentCancellation();

// Sets it for a scope; null for none.
class CancellationScope {
 public:
  explicit CancellationScope(Cancellation* cancellation);
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  Cancellation* const outer_;
};

// Waits for the event until the deadline, or until what the calling thread works for is cancelled. Whether it is set.
bool WaitUnlessCancelled(const Event& event, Instant deadline);

// What `what` came to for whoever wanted it for something that was cancelled because of `why`: the code says whether
// somebody cancelled, a time limit passed, or a process is gone.
absl::Status GivenUp(absl::string_view what, const absl::Status& why);

}  // namespace twinkle::base
