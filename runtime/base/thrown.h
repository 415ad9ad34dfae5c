// What an exception says, whatever it is.
#pragma once

#include <absl/status/status.h>

namespace twinkle::base {

// In a handler: the exception that is being handled, as a status. One that is, or carries, a failed status is that; a
// std::exception is Unknown with its what(), and those of its causes (std::throw_with_nested); a text or number is
// Unknown with it and its type; of anything else the type is named.
absl::Status ThrownStatus();

}  // namespace twinkle::base
