// What the driver believes of those who join and submit, and how much of it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

inline constexpr int kMostSlots = 1'000'000;            // of a node
inline constexpr int kMostDevices = 1024;               // of a type on a node
inline constexpr int kMostDeviceTypes = 16;             // of a node
inline constexpr int64_t kMostJobs = int64_t{1} << 40;  // that have ever been
inline constexpr size_t kMostPorts = 64;                // that a node tells of at a time
inline constexpr int kHighestPort = 65535;
inline constexpr int kMostGroups = 1024;            // of a job
inline constexpr int kMostWorkers = 100'000;        // of a job
inline constexpr int kMostDeviceIndex = 1'000'000;  // of a job

// InvalidArgument: a name that is none (runtime/base/names.h), or more of something than the above.
absl::Status CheckNode(const v1::NodeDescription& node);
// The same; and the devices of one worker process must be on one virtual node.
absl::Status CheckJob(const v1::SubmitJob& job);
absl::Status CheckComponent(const v1::Component& component);

// Why a process ended, and what it printed last: each cut to what others are told.
std::string CauseOf(const v1::ProcessExited& exited);

}  // namespace twinkle::driver
