#include "runtime/base/clock.h"

#include <limits>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("an instant is moved by a duration, and two differ by one") {
  const Instant start = Instant::FromNanoseconds(1'000);
  CHECK(start + absl::Nanoseconds(500) == Instant::FromNanoseconds(1'500));
  CHECK(start - absl::Nanoseconds(500) == Instant::FromNanoseconds(500));
  CHECK(Instant::FromNanoseconds(1'500) - start == absl::Nanoseconds(500));
  CHECK(start < start + absl::Nanoseconds(1));
}

TEST_CASE("arithmetic with instants saturates: forever stays forever") {
  const Instant start = Instant::FromNanoseconds(1'000);
  CHECK(start + absl::InfiniteDuration() == kForever);
  CHECK(start - absl::InfiniteDuration() == kLongAgo);
  CHECK(Instant::FromNanoseconds(std::numeric_limits<int64_t>::max() - 1) + absl::Seconds(1) == kForever);
  CHECK(kForever + absl::Seconds(-1) == kForever);
  CHECK(kLongAgo + absl::Seconds(1) == kLongAgo);
  CHECK(kForever - start == absl::InfiniteDuration());
  CHECK(start - kLongAgo == absl::InfiniteDuration());
  CHECK(kLongAgo - start == -absl::InfiniteDuration());
}

TEST_CASE("the clock goes forward") {
  const Instant before = Now();
  CHECK(before <= Now());
  CHECK(before > Instant());
  CHECK(before.ToChrono().time_since_epoch().count() == before.nanoseconds());
}

}  // namespace
}  // namespace twinkle::base
