// The clock that decides: monotonic, and never set by anybody. Wall time (absl::Now) is only for texts that people
// read, in logs and tables; a check of the build keeps it out of everything else.
#pragma once

#include <absl/time/time.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>

namespace twinkle::base {

// A point on this machine's monotonic clock (CLOCK_MONOTONIC, nanoseconds). It means nothing on another machine, or in
// another time namespace: processes send each other durations (the time that is left), no instants. Arithmetic
// saturates at kForever and kLongAgo.
class Instant {
 public:
  constexpr Instant() = default;  // the clock's zero
  static constexpr Instant FromNanoseconds(int64_t since_beginning) { return Instant(since_beginning); }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }
  std::chrono::steady_clock::time_point ToChrono() const {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds_));
  }
  timespec ToTimespec() const { return absl::ToTimespec(absl::Nanoseconds(nanoseconds_)); }

  Instant& operator+=(absl::Duration by) { return *this = *this + by; }
  friend Instant operator+(Instant instant, absl::Duration by) {
    if (instant.IsInfinite()) return instant;
    const Instant added(absl::ToInt64Nanoseconds(by));  // saturates
    int64_t sum = 0;
    const bool over = __builtin_add_overflow(instant.nanoseconds_, added.nanoseconds_, &sum);
    if (!over && !added.IsInfinite()) return Instant(sum);
    return Instant(added.nanoseconds_ > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min());
  }
  friend Instant operator-(Instant instant, absl::Duration by) { return instant + -by; }
  friend absl::Duration operator-(Instant later, Instant earlier) {
    return later.SinceBeginning() - earlier.SinceBeginning();
  }
  friend constexpr auto operator<=>(Instant, Instant) = default;

 private:
  explicit constexpr Instant(int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  bool IsInfinite() const {
    return nanoseconds_ == std::numeric_limits<int64_t>::max() || nanoseconds_ == std::numeric_limits<int64_t>::min();
  }
  absl::Duration SinceBeginning() const {
    if (!IsInfinite()) return absl::Nanoseconds(nanoseconds_);
    return nanoseconds_ > 0 ? absl::InfiniteDuration() : -absl::InfiniteDuration();
  }

  int64_t nanoseconds_ = 0;
};

// The deadline of a wait without a limit.
inline constexpr Instant kForever = Instant::FromNanoseconds(std::numeric_limits<int64_t>::max());
// An instant before all others, for "never yet".
inline constexpr Instant kLongAgo = Instant::FromNanoseconds(std::numeric_limits<int64_t>::min());

// The time now.
inline Instant Now() {
  return Instant::FromNanoseconds(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

}  // namespace twinkle::base
