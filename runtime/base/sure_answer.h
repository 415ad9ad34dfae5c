// SureAnswer: a callback that is called in any case.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <utility>

#include "runtime/base/session_ended.h"

namespace twinkle::base {

// Calls back with Cancelled when it is destroyed unanswered, together with the task that was to answer. For one thread
// at a time.
template <class T>
class SureAnswer {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  explicit SureAnswer(Done done) : done_(std::move(done)) {}
  SureAnswer(SureAnswer&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  ~SureAnswer() {
    if (done_) done_(SessionEnded());
  }
  // Gives the callback to the caller, who must call it.
  Done Take() { return std::exchange(done_, nullptr); }

 private:
  Done done_;
};

}  // namespace twinkle::base
