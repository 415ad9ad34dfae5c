// Tasks that wait for their turn, and timers.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <map>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::base {

// The tasks and timers of a queue. For one thread at a time.
struct TaskList {
  std::deque<Task> tasks;
  std::multimap<Instant, Task> timers;

  // Appends the timers that are due to the tasks.
  void TakeDue(Instant now) {
    while (!timers.empty() && timers.begin()->first <= now) {
      tasks.push_back(std::move(timers.begin()->second));
      timers.erase(timers.begin());
    }
  }
  Instant NextTimer() const { return timers.empty() ? kForever : timers.begin()->first; }
  Task Pop() {
    Task task = std::move(tasks.front());
    tasks.pop_front();
    return task;
  }
};

}  // namespace twinkle::base
