// A one-time event that threads wait for.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include "runtime/base/mutex.h"

namespace twinkle::base {

// Thread-safe. What happened before Set is seen by whoever found it set.
class Event {
 public:
  void Set() {
    MutexLock lock(&mutex_);
    set_ = true;
    changed_.SignalAll();
  }
  bool IsSet() const {
    MutexLock lock(&mutex_);
    return set_;
  }
  // Blocks until set (true) or the deadline (false).
  bool WaitUntil(absl::Time deadline) const {
    MutexLock lock(&mutex_);
    while (!set_) {
      if (absl::Now() >= deadline) return false;
      changed_.WaitWithDeadline(&mutex_, deadline);
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace twinkle::base
