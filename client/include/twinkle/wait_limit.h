// WaitLimit: how long a wait may take, from a duration or a point in time.
#pragma once

#include <absl/time/time.h>
#include <twinkle/internal/export.h>

#include <chrono>
#include <type_traits>

namespace twinkle {

// A limit of a wait. A point in time is turned into the time that is left when the wait begins, so that a later change
// of the wall clock changes no wait. No limit: absl::InfiniteDuration(), absl::InfiniteFuture().
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
