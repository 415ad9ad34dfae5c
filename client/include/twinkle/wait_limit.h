// WaitLimit: how long a wait may take.
#pragma once

#include <absl/time/time.h>
#include <twinkle/internal/export.h>

#include <chrono>
#include <type_traits>

namespace twinkle {

// From a duration, or a point in time, which is turned into the time that is left where the wait begins: a later step
// of the clock moves no wait. absl::InfiniteDuration() and absl::InfiniteFuture(): none.
class WaitLimit {
 public:
  WaitLimit(absl::Duration left) : left_(left) {}  // NOLINT: it is one
  template <class Count, class Period>
  WaitLimit(std::chrono::duration<Count, Period> left) : left_(Of(left)) {}  // NOLINT
  WaitLimit(absl::Time deadline) : left_(Until(deadline)) {}                 // NOLINT
  absl::Duration left() const { return left_; }

 private:
  template <class Count, class Period>
  static absl::Duration Of(std::chrono::duration<Count, Period> left) {
    if constexpr (std::is_floating_point_v<Count>) {
      return absl::Seconds(std::chrono::duration<double>(left).count());
    } else {
      return left.count() * absl::Seconds(1) * Period::num / Period::den;
    }
  }
  TWINKLE_EXPORT static absl::Duration Until(absl::Time deadline);
  absl::Duration left_;
};

}  // namespace twinkle
