// Timers that do not count the time during which the whole machine slept.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <map>

#include "runtime/base/awake_clock.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::worker {

// Timers for limits that are given to others, for example to a process that starts. When everything was stopped
// meanwhile (a frozen control group, a suspended machine), the others could not use that time, so the wait is prolonged
// by it (base::AwakeClock). Confined to the loop's thread. Invariants:
//  AW1 each task runs once, when its time awake has passed, and never from within After;
//  AW2 while a task waits, the clock is told the time once in every pulse; while none waits, nothing is posted.
class AwakeTimers {
 public:
  // Runs a task on the loop's thread after a duration of the plain clock.
  using PostAfter = std::function<void(absl::Duration, base::Task)>;

  // The timers must outlive every task that `post_after` may still run.
  AwakeTimers(PostAfter post_after, std::function<base::Instant()> now);
  AwakeTimers(const AwakeTimers&) = delete;
  AwakeTimers& operator=(const AwakeTimers&) = delete;

  // Runs `task` when `wait` of time awake has passed.
  void After(absl::Duration wait, base::Task task);
  // The time awake now: the clock by which tasks are due. It leaves out what was slept while a task waited.
  base::Instant Awake() { return clock_.Observe(now_()); }

 private:
  void Arm();
  void OnAlarm();

  const PostAfter post_after_;
  const std::function<base::Instant()> now_;
  base::AwakeClock clock_;
  std::multimap<base::Instant, base::Task> tasks_;  // by the time awake at which they are due
  base::Instant alarm_ = base::kForever;            // when the earliest posted OnAlarm runs
};

}  // namespace twinkle::worker
