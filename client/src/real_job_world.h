// The world of a job as it is: a driver that answers over gRPC, this machine's clock and files.
#pragma once

#include <twinkle/session.h>

#include <memory>

#include "client/src/cluster_limits.h"
#include "client/src/job_world.h"

namespace twinkle::internal {

// The world of a job with these options.
std::unique_ptr<JobWorld> NewRealJobWorld(const InitializeOptions& options, const ClusterLimits& limits);

}  // namespace twinkle::internal
