// Something of the process that has joined a job, for code that it cannot be passed down to.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/base/mutex.h"

namespace twinkle::base {

// Found for as long as its owner keeps it. Thread-safe; of static storage, and never destroyed: threads may outlive
// everything else.
template <class T>
class Installed {
 public:
  // In place of the one before.
  void Set(const std::weak_ptr<T>& installed) {
    MutexLock lock(&mutex_);
    installed_ = installed;
    any_ = true;
  }
  // Null: there is none.
  std::shared_ptr<T> Get() {
    if (!any_) return nullptr;
    MutexLock lock(&mutex_);
    return installed_.lock();
  }

 private:
  std::atomic<bool> any_ = false;  // spares the lock where there never was one
  Mutex mutex_;
  std::weak_ptr<T> installed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::base
