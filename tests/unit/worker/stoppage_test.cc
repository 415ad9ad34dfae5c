#include "worker/stoppage.h"

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

using State = Stoppage::State;

// Looks a second apart.
struct Looks {
  State Stopped(uint64_t times_paused) {
    Look({.stopped = true, .traced = false, .tracer = 0, .times_paused = times_paused});
    return stoppage.state();
  }
  State GoesOn() {
    Look({});
    return stoppage.state();
  }
  void Look(const Glance& glance) {
    now += absl::Seconds(1);
    stoppage.Look(glance, now);
  }
  absl::Duration Lasts() const { return stoppage.Lasts(now); }

  base::Instant now;
  Stoppage stoppage;
};

TEST_CASE("a process is stopped since the first of the looks that found it so, until one that does not") {
  Looks looks;
  CHECK(looks.GoesOn() == State::kGoesOn);
  CHECK(looks.Stopped(5) == State::kSeenStopped);
  CHECK(looks.Stopped(5) == State::kStopped);
  CHECK(looks.Stopped(5) == State::kStopped);
  CHECK(looks.Lasts() == absl::Seconds(2));
  CHECK(looks.GoesOn() == State::kGoesOn);
  CHECK(looks.Stopped(5) == State::kSeenStopped);
  CHECK(looks.Lasts() == absl::ZeroDuration());
}

TEST_CASE("one that runs from look to look, and is stopped at each by chance, is not") {
  Looks looks;
  for (uint64_t times = 1; times < 10; ++times) CHECK(looks.Stopped(times) == State::kSeenStopped);
}

TEST_CASE("a step of its debugger's is none of a process that goes on, but its time begins anew") {
  Looks looks;
  looks.Stopped(5);
  looks.Stopped(5);
  looks.Stopped(5);
  CHECK(looks.Stopped(7) == State::kStopped);
  CHECK(looks.Lasts() == absl::ZeroDuration());
  CHECK(looks.Stopped(7) == State::kStopped);
  CHECK(looks.Lasts() == absl::Seconds(1));
}

}  // namespace
}  // namespace twinkle::worker
