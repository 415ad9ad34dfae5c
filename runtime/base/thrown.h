// Exceptions as statuses.
#pragma once

#include <absl/status/status.h>

namespace twinkle::base {

// The exception that is being handled, as a status; to be called in a handler. An exception that is or carries a failed
// status becomes that status. A std::exception becomes Unknown with its what() and those of its causes
// (std::throw_with_nested). A text or number becomes Unknown with its value and type. Of anything else the type is
// named.
absl::Status ThrownStatus();

}  // namespace twinkle::base
