// Groups: the layout of those that a user declares, as worker processes and their devices.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_group.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/actor/directory.h"
#include "runtime/mesh/placement.h"

namespace twinkle::actor {

// Lays out the groups: checks them, and numbers their worker processes from `first_process` on and their devices in the
// order of declaration. Errors as InProcessJob::Start.
absl::StatusOr<std::vector<GroupInfo>> LayOutGroups(const std::vector<DeviceGroup>& groups,
                                                    rpc::ProcessId first_process);

// The id of the domain of a device group with that first process. No component has such an id.
uint64_t GroupDomain(rpc::ProcessId first_worker);

// A group for the drawing. `where` says a process's node and what to call it.
mesh::PlacedGroup PlacedGroupOf(const GroupInfo& group,
                                const std::function<std::pair<std::string, std::string>(rpc::ProcessId)>& where);

}  // namespace twinkle::actor
