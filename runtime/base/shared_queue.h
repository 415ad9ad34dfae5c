// A task queue without a hop: whoever posts runs what there is to run, if nobody else is at it.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/base/task_list.h"

namespace twinkle::base {

// Tasks run in the thread that posts them, or in one that is running tasks already; a thread of the queue's own takes
// over after some, so that nobody who posts is kept, and runs the timers. It gives way to the next who posts: a thread
// that makes work and one that does it get in each other's way (measured with two cores: half as many calls a second).
// For tasks that are short and wait for nothing. Post must not be called while holding a lock that a task takes; it may
// look for a few microseconds whether the queue's own thread has given way. Invariants:
//  B1 tasks run one at a time, in the order posted;
//  B2 a task that was posted runs: there is always a thread that runs tasks, or none is waiting.
class SharedQueue final : public TaskQueue {
 public:
  explicit SharedQueue(const std::string& name);
  ~SharedQueue() override { Close(); }

  bool Post(Task task) override;
  void PostAfter(absl::Duration delay, Task task) override;
  bool InQueue() const override;
  void Close() override;
  void Abandon() override;

 private:
  // Shared with the thread, which may outlive the queue when it was abandoned.
  struct State {
    Mutex mutex;
    CondVar changed;
    TaskList list ABSL_GUARDED_BY(mutex);
    bool running ABSL_GUARDED_BY(mutex) = false;  // some thread runs tasks
    bool own ABSL_GUARDED_BY(mutex) = false;      // it is the queue's own
    int wanting ABSL_GUARDED_BY(mutex) = 0;       // threads that want to take over from that one
    bool closed ABSL_GUARDED_BY(mutex) = false;
    std::atomic<std::thread::id> runner = std::thread::id();
  };
  // Runs `task`, unless it is empty, and then those of the list, `most` of them or until somebody wants to take over
  // from the queue's own thread; REQUIRES: this thread has just set `running`.
  static void RunTasks(State& state, int most, Task task);
  // After ++wanting: whether it is this thread that runs tasks now.
  static bool TakeOver(State& state);
  static void RunThread(State& state);
  void DropTasks();

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace twinkle::base
