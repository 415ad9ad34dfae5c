// Serial task queues and timers, on which code runs. In production there are threads behind them; tests step them by
// hand.
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

  // Appends a task. Never blocks. False: the queue is closed, and the task was dropped (destroyed).
  virtual bool Post(Task task) = 0;

  // Appends a task once `delay` has passed, unless the queue is closed by then.
  virtual void PostAfter(absl::Duration delay, Task task) = 0;

  // Whether the calling thread is running a task of this queue.
  virtual bool InQueue() const = 0;

  // Takes no more tasks, drops those that have not begun, and waits for the task under way, unless it is called from
  // that.
  virtual void Close() = 0;

  // Close without waiting: a task that hangs keeps its thread, which ends with the task.
  virtual void Abandon() = 0;
};

// Makes task queues. Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // A new queue; `name` is for debuggers and tests. The queue is closed at the latest when its owner destroys it. Null:
  // the system gives no thread for it (NoThread() is the status for that).
  virtual std::unique_ptr<TaskQueue> NewQueue(std::string name) = 0;

  // A queue whose tasks may run in the threads that post them (shared_queue.h), if the executor has such queues.
  virtual std::unique_ptr<TaskQueue> NewSharedQueue(std::string name) { return NewQueue(std::move(name)); }

  // A queue whose thread helps (wait_helper.h) while it has no tasks, if the executor has such queues.
  virtual std::unique_ptr<TaskQueue> NewHelpingQueue(std::string name) { return NewQueue(std::move(name)); }

  // The time by which PostAfter waits.
  virtual Instant Now() const = 0;
};

// ResourceExhausted: there is no thread to be had. The message names what limits their number.
absl::Status NoThread();

// An executor with a thread for each queue, and the real clock.
std::unique_ptr<Executor> NewThreadExecutor();

}  // namespace twinkle::base
