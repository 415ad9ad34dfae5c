#include "runtime/rpc/grpc/redial.h"

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

using Action = Redial::Action;
using Machine = Redial::Machine;

constexpr Redial::Limits kLimits = {.silence = absl::Seconds(2), .verdict = absl::Milliseconds(300)};

// Looks until there is something to do but to wait; how much time passed.
absl::Duration LookUntil(Redial& redial, Machine machine, Action action, bool dialling = false) {
  absl::Duration passed = absl::ZeroDuration();
  for (int i = 0; i < 10'000; ++i) {
    passed += redial.Pause();
    if (redial.Decide(machine, dialling) == action) return passed;
  }
  return absl::InfiniteDuration();
}

TEST_CASE("a broken connection is made again at once, then at growing intervals") {
  Redial redial(kLimits);
  redial.Begin();
  CHECK(LookUntil(redial, Machine::kHasIt, Action::kDial) == absl::Milliseconds(10));
  const absl::Duration second = LookUntil(redial, Machine::kHasIt, Action::kDial);
  const absl::Duration third = LookUntil(redial, Machine::kHasIt, Action::kDial);
  CHECK(second < third);
  for (int i = 0; i < 20; ++i) CHECK(LookUntil(redial, Machine::kHasIt, Action::kDial) <= absl::Seconds(5));
}

TEST_CASE("nothing is tried while an attempt is under way") {
  Redial redial(kLimits);
  redial.Begin();
  for (int i = 0; i < 1000; ++i) REQUIRE(redial.Decide(Machine::kHasIt, /*dialling=*/true) == Action::kWait);
}

TEST_CASE("a machine that is silent for too long makes the two lose each other") {
  Redial redial(kLimits);
  redial.Begin();
  const absl::Duration passed = LookUntil(redial, Machine::kSilent, Action::kLoseSilent);
  CHECK(passed >= absl::Seconds(2));
  CHECK(passed < absl::Milliseconds(2200));
}

TEST_CASE("a machine that cannot be asked is not silent: it is waited for longer, but not for ever") {
  Redial redial(kLimits);
  redial.Begin();
  const absl::Duration passed = LookUntil(redial, Machine::kUnknown, Action::kLoseSilent);
  CHECK(passed >= absl::Seconds(20));
  CHECK(passed < absl::Seconds(21));
}

TEST_CASE("a process that is stopped is waited for without a limit") {
  Redial redial(kLimits);
  redial.Begin();
  for (int i = 0; i < 100'000; ++i) {
    const Action action = redial.Decide(Machine::kHasIt, false);
    REQUIRE((action == Action::kWait || action == Action::kDial));
  }
  // When its machine falls silent, too, that begins to count then.
  CHECK(LookUntil(redial, Machine::kSilent, Action::kLoseSilent) >= absl::Milliseconds(1900));
}

TEST_CASE("where nobody listens any more the word of the end is waited for a while") {
  Redial redial(kLimits);
  redial.Begin();
  const absl::Duration passed = LookUntil(redial, Machine::kRefuses, Action::kLoseGone, true);
  CHECK(passed >= absl::Milliseconds(300));
  CHECK(passed < absl::Milliseconds(500));
}

TEST_CASE("a machine that is back is tried at once") {
  Redial redial({.silence = absl::Seconds(60), .verdict = absl::Milliseconds(300)});
  redial.Begin();
  for (int i = 0; i < 300; ++i) redial.Decide(Machine::kSilent, false);
  redial.Decide(Machine::kSilent, true);
  CHECK(redial.Decide(Machine::kHasIt, false) == Action::kDial);
}

TEST_CASE("each break begins anew") {
  Redial redial(kLimits);
  redial.Begin();
  for (int i = 0; i < 15; ++i) redial.Decide(Machine::kSilent, true);
  redial.Begin();
  CHECK(LookUntil(redial, Machine::kSilent, Action::kLoseSilent) >= absl::Seconds(2));
}

}  // namespace
}  // namespace twinkle::rpc
