// From the groups that a user declares to worker processes and their devices.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_group.h>

#include <vector>

#include "runtime/actor/directory.h"

namespace twinkle::actor {

// Checks the groups and numbers their worker processes from `first_process` on, and their devices in the order of
// declaration. Errors as InProcessJob::Start says.
absl::StatusOr<std::vector<GroupInfo>> LayOutGroups(const std::vector<DeviceGroup>& groups,
                                                    rpc::ProcessId first_process);

}  // namespace twinkle::actor
