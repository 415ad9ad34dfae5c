// A clock of the time during which a process was awake: time that it was stopped, or that its machine slept, does not
// count.
#pragma once

#include <absl/time/time.h>

#include <algorithm>

#include "runtime/base/clock.h"

namespace twinkle::base {

// The time awake, for those who judge others by their silence. Observe must be called at every event, and once in every
// `pulse` while somebody waits. A gap of more than two pulses between two calls is a pause of the judge itself, during
// which it has not listened; of such a gap only one pulse counts. For one thread at a time.
class AwakeClock {
 public:
  AwakeClock(absl::Duration pulse, Instant now) : pulse_(pulse), last_(now) {}

  // Takes the time `now` of the plain clock, and returns the time awake, which never goes back.
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
  // The time awake at which the last pause ended. Nobody's silence counts from before that.
  Instant Woken() const { return woken_; }
  // The plain time at which the time awake will be `awake`, if there is no pause before.
  Instant WhenAwakeFor(Instant awake) const { return awake + asleep_; }
  // The plain time by which Observe must be called next, if somebody waits.
  Instant NextPulse() const { return last_ + pulse_; }

 private:
  const absl::Duration pulse_;
  Instant last_;
  absl::Duration asleep_;
  Instant woken_ = kLongAgo;
};

}  // namespace twinkle::base
