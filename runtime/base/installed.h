// Installed<T>: an object of the process that has joined a job, for code to which it cannot be passed.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/base/mutex.h"

namespace twinkle::base {

// A weak reference to one object. Thread-safe. Its instances have static storage and are never destroyed, because
// threads may outlive everything else.
template <class T>
class Installed {
 public:
  // Installs an object, in place of the one before.
  void Set(const std::weak_ptr<T>& installed) {
    MutexLock lock(&mutex_);
    installed_ = installed;
    any_ = true;
  }
  // The installed object, as long as somebody owns it; null: there is none.
  std::shared_ptr<T> Get() {
    if (!any_) return nullptr;
    MutexLock lock(&mutex_);
    return installed_.lock();
  }

 private:
  std::atomic<bool> any_ = false;  // spares the lock in processes in which nothing was ever installed
  Mutex mutex_;
  std::weak_ptr<T> installed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::base
