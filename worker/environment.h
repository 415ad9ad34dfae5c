// The environment of a worker process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::worker {

// The variable by which a device type's runtime learns which devices it may see: CUDA_VISIBLE_DEVICES for "cuda".
std::string DeviceVariable(const std::string& device_type);

// NAME=VALUE: the program's, less what belongs to its machine, and what says where the process stands. `object_memory`
// bytes are for its objects; 0: an even share of half the machine's memory.
std::vector<std::string> EnvironmentOf(const v1::StartJob& job, const v1::Process& process,
                                       const v1::NodeDescription& node, uint64_t object_memory = 0);

}  // namespace twinkle::worker
