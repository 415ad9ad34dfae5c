// The description of a job that its program sends to the driver, checked before.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/session.h>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::internal {

// This program, as it was started, and the groups that it asks for. InvalidArgument as InProcessJob::Start, and as
// CheckSize.
absl::StatusOr<v1::SubmitJob> DescribeJob(const InitializeOptions& options);

// Checks the size of a component's description. InvalidArgument: it is more than the driver takes, which the text says.
absl::Status CheckSize(const v1::Component& component);

}  // namespace twinkle::internal
