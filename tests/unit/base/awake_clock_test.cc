#include "runtime/base/awake_clock.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

constexpr absl::Duration kPulse = absl::Seconds(1);

TEST_CASE("time that was observed counts, pauses do not") {
  Instant now;
  AwakeClock clock(kPulse, now);
  for (int i = 0; i < 10; ++i) clock.Observe(now += kPulse);
  CHECK(clock.Awake() == Instant() + absl::Seconds(10));
  CHECK(clock.Woken() == kLongAgo);
  const Instant before = clock.Awake();
  CHECK(clock.Observe(now += absl::Hours(10)) == before + kPulse);
  CHECK(clock.Woken() == before + kPulse);
  CHECK(clock.WhenAwakeFor(before + 3 * kPulse) == now + 2 * kPulse);
  CHECK(clock.Observe(now += kPulse) == before + 2 * kPulse);
  CHECK(clock.NextPulse() == now + kPulse);
}

TEST_CASE("a late pulse is no pause") {
  Instant now;
  AwakeClock clock(kPulse, now);
  CHECK(clock.Observe(now += 2 * kPulse) == now);
  CHECK(clock.Woken() == kLongAgo);
}

TEST_CASE("the time awake never goes back") {
  AwakeClock clock(kPulse, Instant() + absl::Seconds(5));
  CHECK(clock.Observe(Instant()) == Instant() + absl::Seconds(5));
}

}  // namespace
}  // namespace twinkle::base
