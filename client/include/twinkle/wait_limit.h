// WaitLimit: how long a wait may take.
#pragma once

#include <absl/time/time.h>
#include <twinkle/internal/export.h>

#include <chrono>

namespace twinkle {

// From a duration, or a point in time, which is turned into the time that is left where the wait begins: a later step
// of the clock moves no wait. absl::InfiniteDuration() and absl::InfiniteFuture(): none.
class WaitLimit {
 public:
  WaitLimit(absl::Duration left) : left_(left) {}  // NOLINT: it is one
  template <class Count, class Period>
  WaitLimit(std::chrono::duration<Count, Period> left) : left_(absl::FromChrono(left)) {}  // NOLINT
  WaitLimit(absl::Time deadline) : left_(Until(deadline)) {}                               // NOLINT
  absl::Duration left() const { return left_; }

 private:
  TWINKLE_EXPORT static absl::Duration Until(absl::Time deadline);
  absl::Duration left_;
};

}  // namespace twinkle
