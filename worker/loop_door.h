// A handle on a loop, for threads that may outlive the loop.
#pragma once

#include <memory>
#include <utility>

#include "runtime/base/fd_loop.h"
#include "runtime/base/mutex.h"

namespace twinkle::worker {

// Posts tasks to a loop for as long as the loop exists. Copies lead to the same loop. Thread-safe. Whoever made it
// calls Close before the loop is destroyed; tasks that are posted later are dropped.
class LoopDoor {
 public:
  explicit LoopDoor(base::FdLoop* loop) : state_(std::make_shared<State>()) {
    base::MutexLock lock(&state_->mutex);
    state_->loop = loop;
  }
  void Post(base::Task task) const {
    base::MutexLock lock(&state_->mutex);
    if (state_->loop != nullptr) state_->loop->Post(std::move(task));
  }
  void Close() const {
    base::MutexLock lock(&state_->mutex);
    state_->loop = nullptr;
  }

 private:
  struct State {
    base::Mutex mutex;
    base::FdLoop* loop ABSL_GUARDED_BY(mutex) = nullptr;
  };
  std::shared_ptr<State> state_;
};

}  // namespace twinkle::worker
