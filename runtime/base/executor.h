// Where code runs: serial task queues and timers. Production code has threads behind them; tests step them by hand.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <utility>

#include "runtime/base/clock.h"

namespace twinkle::base {

using Task = absl::AnyInvocable<void()>;

// Runs tasks one at a time, in the order in which they were posted. Thread-safe.
class TaskQueue {
 public:
  virtual ~TaskQueue() = default;

  // Never blocks. After Close the task is dropped (destroyed) and the answer is false.
  virtual bool Post(Task task) = 0;

  // Runs the task once `delay` has passed, unless the queue was closed by then.
  virtual void PostAfter(absl::Duration delay, Task task) = 0;

  // Whether the calling thread is running a task of this queue.
  virtual bool InQueue() const = 0;

  // Takes no more tasks, drops those that have not begun, waits for the one under way (unless called from it).
  virtual void Close() = 0;

  // As Close, but waits for nobody: a task that is stuck keeps its thread, which ends with it.
  virtual void Abandon() = 0;
};

// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // `name` is for debuggers and tests. The queue is closed at the latest when its last owner lets go of it. Null: the
  // system gives no thread for it (NoThread() says so).
  virtual std::unique_ptr<TaskQueue> NewQueue(std::string name) = 0;

  // One whose tasks may run in the threads that post them (shared_queue.h), where the executor has such.
  virtual std::unique_ptr<TaskQueue> NewSharedQueue(std::string name) { return NewQueue(std::move(name)); }

  // One whose thread helps (wait_helper.h) while it has nothing to run, where the executor has such.
  virtual std::unique_ptr<TaskQueue> NewHelpingQueue(std::string name) { return NewQueue(std::move(name)); }

  virtual Instant Now() const = 0;
};

// ResourceExhausted, naming what bounds the number of threads.
absl::Status NoThread();

// One thread a queue, and the real clock.
std::unique_ptr<Executor> NewThreadExecutor();

}  // namespace twinkle::base
