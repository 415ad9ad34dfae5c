// SharedQueue: a task queue without a thread switch. The thread that posts a task runs it, unless another thread runs
// tasks already.
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

// Tasks run in the thread that posts them, or in one that is running tasks already. The queue's own thread takes over
// after some tasks, so that no posting thread is held up, and it runs the timers. It gives way to the next thread that
// posts: a thread that makes work and one that does it hinder each other (measured with two cores: half as many calls a
// second). Tasks must be short and wait for nothing. Post must not be called while holding a lock that a task takes.
// Post may spin for a few microseconds until the queue's own thread has given way. Invariants:
//  SQ1 tasks run one at a time, in the order posted;
//  SQ2 a task that was posted runs: there is always a thread that runs tasks, or no task waits.
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
  // Shared with the queue's own thread, which outlives an abandoned queue.
  struct State {
    Mutex mutex;
    CondVar changed;
    TaskList list ABSL_GUARDED_BY(mutex);
    bool running ABSL_GUARDED_BY(mutex) = false;  // some thread runs tasks
    bool own ABSL_GUARDED_BY(mutex) = false;      // that thread is the queue's own
    int wanting ABSL_GUARDED_BY(mutex) = 0;       // number of threads that want to take over from it
    bool closed ABSL_GUARDED_BY(mutex) = false;
    std::atomic<std::thread::id> runner = std::thread::id();
  };
  // Runs `task`, unless it is empty, and then tasks of the list: at most `most`, or until a thread wants to take over
  // from the queue's own. REQUIRES: this thread has just set `running`.
  static void RunTasks(State& state, int most, Task task);
  // Waits for the queue's own thread to give way, after ++wanting. Returns whether this thread runs tasks now.
  static bool TakeOver(State& state);
  static void RunThread(State& state);
  void DropTasks();

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace twinkle::base
