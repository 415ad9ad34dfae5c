// A group that has no processes: its components are objects of this process (Mode::kLocal).
#pragma once

#include <absl/status/status.h>

#include <atomic>

#include "runtime/base/mutex.h"

namespace twinkle::actor {

// Thread-safe.
class LocalGroup {
 public:
  // What calls on it fail with from now on; the first reason stays.
  void End(const absl::Status& why) {
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    why_ = why;
    ended_ = true;
  }
  // Null: it has not ended. Else a constant.
  const absl::Status* WhyEnded() const { return ended_ ? &why_ : nullptr; }

 private:
  base::Mutex mutex_;  // of who ends it
  std::atomic<bool> ended_ = false;
  absl::Status why_;  // constant once `ended_` is set
};

}  // namespace twinkle::actor
