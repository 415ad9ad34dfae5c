// A group that has no processes: its components are objects of this process (Mode::kLocal).
#pragma once

#include <absl/status/status.h>

#include <atomic>

#include "runtime/base/mutex.h"

namespace twinkle::actor {

// How a group has ended, or that it has not. Thread-safe.
class LocalGroup {
 public:
  // Ends the group: calls on it fail with `why` from now on. The first reason stays.
  void End(const absl::Status& why) {
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    why_ = why;
    ended_ = true;
  }
  // The reason of the group's end, a constant. Null: it has not ended.
  const absl::Status* WhyEnded() const { return ended_ ? &why_ : nullptr; }

 private:
  base::Mutex mutex_;  // of who ends it
  std::atomic<bool> ended_ = false;
  absl::Status why_;  // constant once `ended_` is set
};

}  // namespace twinkle::actor
