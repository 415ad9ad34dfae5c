// A one-time event that threads wait for.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <memory>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/base/wait_helper.h"

namespace twinkle::base {

// Thread-safe. What happened before Set is seen by whoever found it set.
class Event {
 public:
  void Set() {
    std::shared_ptr<WaitHelper> helper;
    {
      MutexLock lock(&mutex_);
      set_ = true;
      changed_.SignalAll();
      helper = std::move(helper_);
    }
    if (helper != nullptr) helper->Wake();
  }
  bool IsSet() const {
    MutexLock lock(&mutex_);
    return set_;
  }
  // Blocks until set (true) or the deadline (false). Helps meanwhile (wait_helper.h).
  bool WaitUntil(absl::Time deadline) const {
    std::shared_ptr<WaitHelper> helper = TheWaitHelper();
    {
      MutexLock lock(&mutex_);
      if (set_) return true;
      helper_ = helper;
    }
    if (helper != nullptr && helper->Help([this] { return IsSet(); }, deadline)) return true;
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
  mutable std::shared_ptr<WaitHelper> helper_ ABSL_GUARDED_BY(mutex_);  // in which somebody waits
};

}  // namespace twinkle::base
