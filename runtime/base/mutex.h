// A mutex that the compiler's thread-safety analysis knows. It is std::mutex underneath, not Abseil's. Distributions
// build Abseil with its deadlock detector on, at five times the cost of a lock, and without the thread sanitizer's
// instrumentation. Switching the detector off here would switch it off in the user's program, too.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <mutex>

#include "runtime/base/clock.h"

namespace twinkle::base {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// A condition variable. REQUIRES for waiting: the calling thread holds the mutex, which it holds again afterwards. A
// wait may end early.
class CondVar {
 public:
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { WaitWithDeadline(mutex, kForever); }

  // Waits until signalled or the deadline. Returns true if the deadline has passed.
  bool WaitWithDeadline(Mutex* mutex, Instant deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    bool late = false;
    if (deadline == kForever) {
      changed_.wait(lock);
    } else {
      late = changed_.wait_until(lock, deadline.ToChrono()) == std::cv_status::timeout;
    }
    lock.release();
    return late;
  }

  void SignalAll() { changed_.notify_all(); }

 private:
  std::condition_variable changed_;
};

}  // namespace twinkle::base
