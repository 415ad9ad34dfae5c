// Tasks that wait for their turn, and tasks that wait for their time.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <map>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::base {

// Not thread-safe.
struct TaskList {
  std::deque<Task> tasks;
  std::multimap<Instant, Task> timers;

  // Timers that are due go behind the tasks that wait already.
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
