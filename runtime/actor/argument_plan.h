// From a call's arguments to what each of its workers is sent.
#pragma once

#include <absl/status/status.h>

#include <memory>

#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// Whether an argument, a lazy that has settled well, must be fetched and joined before the call can be planned: its
// rows are not known without, or (`always`) values are looked at.
bool NeedsValue(const internal::LazyCore& lazy, bool always);

// Whether planning runs the user's code, which must not be done on the service queue.
bool PlansWithUserCode(const OutgoingCall& call);

// Fills in the workers, who of them is used, and their parts. REQUIRES: all lazy arguments have settled (those
// that are given by value well), and those that need their value have it. InvalidArgument when the arguments cannot be
// split, or the rules do not fit the mesh.
absl::Status PlanArguments(OutgoingCall& call, const ProcessOptions& caller);

}  // namespace twinkle::actor
