// Time as a process has lived it: what passed while it was stopped, or its machine asleep, does not count.
#pragma once

#include <absl/time/time.h>

#include <algorithm>

#include "runtime/base/clock.h"

namespace twinkle::base {

// For those who judge others by their silence. It is told the time at every event, and once in every `pulse` while
// somebody waits for something; a gap of more than two pulses between two of these is a pause of the judge itself,
// which has not listened, and of which only one pulse counts. Not thread-safe.
class AwakeClock {
 public:
  AwakeClock(absl::Duration pulse, Instant now) : pulse_(pulse), last_(now) {}

  // The time awake. It never goes back, whatever it is told.
  Instant Observe(Instant now) {
    now = std::max(now, last_);
    const absl::Duration gap = now - last_;
    last_ = now;
    if (gap <= 2 * pulse_) return Awake();
    asleep_ += gap - pulse_;
    woken_ = Awake();
    return woken_;
  }
  Instant Awake() const { return last_ - asleep_; }
  // When the last pause ended, by the time awake: nobody's silence is older.
  Instant Woken() const { return woken_; }
  // When Observe will answer that, if there is no pause before.
  Instant WhenAwakeFor(Instant awake) const { return awake + asleep_; }
  // When it wants to be told the time next, if somebody waits.
  Instant NextPulse() const { return last_ + pulse_; }

 private:
  const absl::Duration pulse_;
  Instant last_;
  absl::Duration asleep_;
  Instant woken_ = kLongAgo;
};

}  // namespace twinkle::base
