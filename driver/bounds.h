// Bounds on what joining nodes and submitting programs say, beyond which the driver refuses them.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

inline constexpr int kMostSlots = 1'000'000;            // of a node
inline constexpr int kMostDevices = 1024;               // of a type on a node
inline constexpr int kMostDeviceTypes = 16;             // of a node
inline constexpr int64_t kMostJobs = int64_t{1} << 40;  // numbers of jobs over a cluster's life
inline constexpr size_t kMostPorts = 64;                // free ports that a node reports at a time
inline constexpr int kHighestPort = 65535;
inline constexpr int kMostGroups = 1024;            // of a job
inline constexpr int kMostWorkers = 100'000;        // of a job
inline constexpr int kMostDeviceIndex = 1'000'000;  // of a job

// InvalidArgument: a name that is not valid (runtime/base/names.h), or a number beyond the bounds above.
absl::Status CheckNode(const v1::NodeDescription& node);
// As CheckNode, for a job; and the devices of one worker process must be on one virtual node.
absl::Status CheckJob(const v1::SubmitJob& job);
// As CheckNode, for a component.
absl::Status CheckComponent(const v1::Component& component);

// The cause of a process's end with its last lines of output, both cut to the length that others are told.
std::string CauseOf(const v1::ProcessExited& exited);

}  // namespace twinkle::driver
