// Whether a process is stopped, and for how long, as far as periodic looks can tell.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "runtime/base/clock.h"
#include "worker/glance.h"

namespace twinkle::worker {

// Judges from looks at a process whether it is stopped. What the process does between two looks is not seen. So it
// counts as stopped when two looks in a row found it stopped and it has not run in between. A process that is stopped
// for moments only, as it is in system calls that somebody traces, never counts. If it has run unseen between two looks
// (a step in a debugger), its stop counts from then on. For one thread at a time.
class Stoppage {
 public:
  enum class State { kGoesOn, kSeenStopped, kStopped };

  // A look has found `glance`, at the time awake `awake`. To be called in the order of the looks.
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
  // What the last look has found.
  const Glance& last() const { return last_; }
  // How long the process has been stopped without a break, while it is stopped.
  absl::Duration Lasts(base::Instant awake) const { return awake - since_; }

 private:
  State state_ = State::kGoesOn;
  Glance last_;
  base::Instant since_;
};

}  // namespace twinkle::worker
