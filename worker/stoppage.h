// Whether a process is stopped, and for how long, as looks at it now and then can tell.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "runtime/base/clock.h"
#include "worker/glance.h"

namespace twinkle::worker {

// What a process does between two looks is not seen. So it counts as stopped when two looks in a row have found it so
// and it has not run in between: one that is stopped for a moment, as its system calls are when somebody traces them,
// never does. One that has run unseen, a step of its debugger's, has been stopped since then and no longer.
class Stoppage {
 public:
  enum class State { kGoesOn, kSeenStopped, kStopped };

  // Looks are told in their order; `awake` is the time by which whoever looks has been awake himself.
  void Look(const Glance& glance, base::Instant awake) {
    const bool ran = state_ == State::kGoesOn || glance.times_paused != last_.times_paused;
    if (ran) since_ = awake;
    if (!glance.stopped) {
      state_ = State::kGoesOn;
    } else if (state_ == State::kGoesOn) {
      state_ = State::kSeenStopped;
    } else if (!ran) {
      state_ = State::kStopped;
    }
    last_ = glance;
  }

  State state() const { return state_; }
  // Of the last look.
  const Glance& last() const { return last_; }
  // How long it has been stopped without a break; while it is.
  absl::Duration Lasts(base::Instant awake) const { return awake - since_; }

 private:
  State state_ = State::kGoesOn;
  Glance last_;
  base::Instant since_;
};

}  // namespace twinkle::worker
