// Stores a reduced number in the C++ number that is to hold it.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/type.h>

#include "runtime/dispatch/reduce.h"

namespace twinkle::dispatch {

// Stores the number. InvalidArgument: overflow, if it does not fit. Internal: `type` is no number.
absl::Status StoreNumber(const Reduced& number, const internal::Type& type, void* to);

// The error for a type that cannot hold a reduced number: Internal. What JoinedBy and the join disagree on is a mistake
// of ours, not of the user's.
absl::Status CannotHold(const internal::Type& type);

}  // namespace twinkle::dispatch
