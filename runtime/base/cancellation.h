// Cancellation: tells threads, running or waiting, that nobody wants the result of their work any more.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <atomic>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"

namespace twinkle::base {

// The cancellation of one piece of work. Thread-safe. Invariants:
//  CN1 it is cancelled once, and keeps the first reason;
//  CN2 a thread in WaitUntil returns as soon as it is cancelled, whatever happens to the event.
class Cancellation {
 public:
  // Cancels with a reason, which is not OK. False: it was cancelled before.
  bool Cancel(const absl::Status& why);
  bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }
  // The reason; OK until it is cancelled.
  absl::Status why() const;
  // The flag behind IsCancelled, for those who keep nothing else of this object.
  const std::atomic<bool>& flag() const { return cancelled_; }

  // Waits for the event until the deadline, or until this is cancelled. Returns whether the event is set.
  bool WaitUntil(const Event& event, Instant deadline);

 private:
  mutable Mutex mutex_;
  std::atomic<bool> cancelled_ = false;  // written under the lock
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
  absl::InlinedVector<const Event*, 1> waited_for_ ABSL_GUARDED_BY(mutex_);  // events of threads in WaitUntil
};

// The cancellation of the work that the calling thread does; null: it cannot be cancelled.
Cancellation* CurrentCancellation();

// Sets the calling thread's cancellation for a scope; null for none.
class CancellationScope {
 public:
  explicit CancellationScope(Cancellation* cancellation);
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  Cancellation* const outer_;
};

// Waits for the event until the deadline, or until the calling thread's work is cancelled. Returns whether the event is
// set.
bool WaitUnlessCancelled(const Event& event, Instant deadline);

// The status of a wait for `what` that was given up because the work was cancelled with `why`. Its code says whether
// somebody cancelled, a time limit passed, or a process is gone.
absl::Status GivenUp(absl::string_view what, const absl::Status& why);

}  // namespace twinkle::base
