// A one-time event that threads wait for.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"
#include "runtime/base/wait_helper.h"

namespace twinkle::base {

// An event that happens once. Thread-safe. What happened before Set is visible to every thread that finds the event
// set. Such a thread may let go of the event at once, so the thread that calls Set must be an owner, too.
class Event {
 public:
  void Set() {
    std::shared_ptr<WaitHelper> helper;
    {
      MutexLock lock(&mutex_);
      set_.store(true, std::memory_order_release);
      if (waiting_ > 0) changed_.SignalAll();
      helper = std::move(helper_);
    }
    if (helper != nullptr) helper->Wake();
  }
  bool IsSet() const { return set_.load(std::memory_order_acquire); }
  // Blocks until the event is set (true) or the deadline has passed (false). The thread helps meanwhile
  // (wait_helper.h).
  bool WaitUntil(Instant deadline) const {
    return WaitUntil(deadline, [] { return false; });
  }
  // WaitUntil that also ends once `given_up()` returns true. Whoever changes its answer must call Nudge afterwards.
  template <class GivenUp>
  bool WaitUntil(Instant deadline, const GivenUp& given_up) const {
    if (IsSet()) return true;
    std::shared_ptr<WaitHelper> helper = TheWaitHelper();
    {
      MutexLock lock(&mutex_);
      if (IsSet()) return true;
      helper_ = helper;
    }
    const auto ended = [&] { return IsSet() || given_up(); };
    if (helper != nullptr && helper->Help(ended, deadline)) return IsSet();
    MutexLock lock(&mutex_);
    ++waiting_;
    while (!ended() && Now() < deadline) changed_.WaitWithDeadline(&mutex_, deadline);
    --waiting_;
    return IsSet();
  }
  // Makes waiting threads ask `given_up()` again.
  void Nudge() const {
    std::shared_ptr<WaitHelper> helper;
    {
      MutexLock lock(&mutex_);
      if (waiting_ > 0) changed_.SignalAll();
      helper = helper_;
    }
    if (helper != nullptr) helper->Wake();
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::atomic<bool> set_ = false;  // written under the lock
  mutable int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable std::shared_ptr<WaitHelper> helper_ ABSL_GUARDED_BY(mutex_);  // the helper in which a thread waits
};

}  // namespace twinkle::base
