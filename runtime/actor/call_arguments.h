// Arguments as the caller gave them.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <vector>

#include "runtime/actor/outgoing_call.h"

namespace twinkle::actor {

// From here on they are the call's own, whatever their giver does. InvalidArgument, saying which: it is nested too
// deep. Unknown: a copy threw.
absl::Status SnapshotArguments(const std::vector<internal::CallArgument>& arguments,
                               std::span<const internal::ParameterInfo> parameters);

// InvalidArgument, saying which: what no call can take. `leaves`: they leave this process. FailedPrecondition: a lazy
// or a handle of another session than that of `job`, whose ids mean other things there.
absl::Status CheckArguments(const std::vector<internal::CallArgument>& arguments, bool leaves, base::JobKey job);

}  // namespace twinkle::actor
