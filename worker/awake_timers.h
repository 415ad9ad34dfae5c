// Timers for which what the whole machine has slept does not count.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <map>

#include "runtime/base/awake_clock.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::worker {

// For those who give others a time to do something. When everything was stopped meanwhile (a frozen control group, a
// suspended machine), the others have not had that time: a wait goes on where it was (base::AwakeClock). Confined to
// one thread. Invariants:
//  A1 each task runs once, when its time awake has passed, never from within After;
//  A2 while a task waits the clock is told the time once in every pulse; while none does nothing is posted.
class AwakeTimers {
 public:
  // Runs a task on this thread after a time of the plain clock.
  using PostAfter = std::function<void(absl::Duration, base::Task)>;

  // It outlives what `post_after` still runs.
  AwakeTimers(PostAfter post_after, std::function<base::Instant()> now);
  AwakeTimers(const AwakeTimers&) = delete;
  AwakeTimers& operator=(const AwakeTimers&) = delete;

  void After(absl::Duration wait, base::Task task);
  // The time awake, by which the tasks are due. It knows what was slept while a task waited.
  base::Instant Awake() { return clock_.Observe(now_()); }

 private:
  void Arm();
  void OnAlarm();

  const PostAfter post_after_;
  const std::function<base::Instant()> now_;
  base::AwakeClock clock_;
  std::multimap<base::Instant, base::Task> tasks_;  // by when they are due, awake
  base::Instant alarm_ = base::kForever;            // the next that was posted
};

}  // namespace twinkle::worker
