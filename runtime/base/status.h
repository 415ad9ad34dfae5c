// Helpers for absl::Status.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <utility>

// Returns from the enclosing function when `expression` (an absl::Status) is not OK.
#define TWINKLE_RETURN_IF_ERROR(expression)                                                      \
  do {                                                                                           \
    if (absl::Status twinkle_status = (expression); !twinkle_status.ok()) return twinkle_status; \
  } while (false)

// Returns from the enclosing function when `expression` (an absl::StatusOr) failed, else moves its value into `target`,
// which may be a declaration.
#define TWINKLE_ASSIGN_OR_RETURN(target, expression) \
  TWINKLE_ASSIGN_OR_RETURN_(TWINKLE_CONCAT_(twinkle_or_, __LINE__), target, expression)
#define TWINKLE_ASSIGN_OR_RETURN_(holder, target, expression) \
  auto holder = (expression);                                 \
  if (!holder.ok()) return std::move(holder).status();        \
  target = *std::move(holder)
#define TWINKLE_CONCAT_(a, b) TWINKLE_CONCAT2_(a, b)
#define TWINKLE_CONCAT2_(a, b) a##b

namespace twinkle::base {

// InvalidArgument with a sentence for people and, in square brackets at its end, the stable name of the reason
// ("batch_too_small"). The names are those in the reference semantics' table.
absl::Status Refuse(absl::string_view reason, absl::string_view message);

// The name of the reason in a status made by Refuse; empty for any other status.
std::string ReasonOf(const absl::Status& status);

// The code and the message without payloads: "UNKNOWN: boom".
std::string Brief(const absl::Status& status);

// The status with `prefix` and ": " before its message, and the same code and payloads. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

}  // namespace twinkle::base
