// A deadline, as poll(2) takes it.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "runtime/base/clock.h"

namespace twinkle::base {

// The milliseconds until the deadline, rounded up; 0 once it has passed, and at most what an int holds.
inline int PollLimit(Instant deadline) {
  const absl::Duration left = std::max(deadline - Now(), absl::ZeroDuration());
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
  return static_cast<int>(std::min<int64_t>(milliseconds, std::numeric_limits<int>::max()));
}

}  // namespace twinkle::base
