// A reduced number into the C++ number that is to hold it.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/type.h>

#include "runtime/dispatch/reduce.h"

namespace twinkle::dispatch {

// InvalidArgument: overflow, if it does not fit. Internal: `type` is no number.
absl::Status StoreNumber(const Reduced& number, const internal::Type& type, void* to);

// Internal: what JoinedBy and the join disagree on is a mistake of ours, not of the user's.
absl::Status CannotHold(const internal::Type& type);

}  // namespace twinkle::dispatch
