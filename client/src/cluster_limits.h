// The limits of a program that waits for others of its cluster.
#pragma once

#include <absl/time/time.h>

#include "runtime/base/end_limits.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle::internal {

struct ClusterLimits {
  absl::Duration connect = absl::Seconds(10);  // for a driver to answer
  // Beyond placement_timeout, which the driver keeps itself: for one that does not.
  absl::Duration placement_margin = absl::Seconds(15);
  // For programs to be brought to the nodes and their worker processes to come up. The nodes end those that are late.
  absl::Duration start = absl::Minutes(15);
  rpc::WireLimits wires = {};                        // other machines, and processes to which a connection has broken
  absl::Duration account = absl::Seconds(2);         // ranks that are asked what they still have under way
  absl::Duration end_margin = base::kProgramMargin;  // the driver's word of the end, beyond abort_grace
};

}  // namespace twinkle::internal
