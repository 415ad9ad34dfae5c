// An answer that comes in any case.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <utility>

namespace twinkle::base {

// Answers with Cancelled when it is dropped unanswered, with the task that was to answer.
template <class T>
class SureAnswer {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  explicit SureAnswer(Done done) : done_(std::move(done)) {}
  SureAnswer(SureAnswer&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  ~SureAnswer() {
    if (done_) done_(absl::CancelledError("the session has ended"));
  }
  // Whoever takes it answers.
  Done Take() { return std::exchange(done_, nullptr); }

 private:
  Done done_;
};

}  // namespace twinkle::base
