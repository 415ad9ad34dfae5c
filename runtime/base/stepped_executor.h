// SteppedExecutor: an executor for tests. Nothing runs until the test says which queue takes its next step, and time
// stands still until the test moves it.
#pragma once

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::base {

// Runs tasks when the test says so. For one thread at a time.
class SteppedExecutor final : public Executor {
 public:
  SteppedExecutor();
  ~SteppedExecutor() override;

  std::unique_ptr<TaskQueue> NewQueue(std::string name) override;
  Instant Now() const override { return now_; }

  // Runs the next task of the queue of that name. False: it has none, or there is no such queue.
  bool Step(absl::string_view queue);
  // Runs tasks of that queue until it has none.
  void Drain(absl::string_view queue);
  // Runs all queues but `skip`, one task each in turn, until none has a task.
  void RunAll(const std::vector<std::string>& skip = {});
  // RunAll with the queues chosen at random; the same seed gives the same order.
  void RunRandomly(uint64_t seed);
  // Moves the clock. Timers that are due become tasks of their queues.
  void Advance(absl::Duration by);
  // The names of the queues that have tasks.
  std::vector<std::string> Ready() const;

 private:
  class Queue;
  struct State {  // shared with the executor's queue, which lets go of it when it is closed
    std::string name;
    std::deque<Task> tasks;
    std::multimap<Instant, Task> timers;
    bool closed = false;
    bool running = false;
  };

  bool StepOne(const std::shared_ptr<State>& state);
  std::shared_ptr<State> Find(absl::string_view name) const;

  Instant now_;
  std::vector<std::shared_ptr<State>> queues_;
};

}  // namespace twinkle::base
