// The environment of a worker process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::worker {

// The variable by which a device type's runtime learns which devices it may see: CUDA_VISIBLE_DEVICES for "cuda".
std::string DeviceVariable(const std::string& device_type);

// The devices of that type that this process may see, as its own environment names them: by number, or otherwise. What
// it gives to ranks is of these, and they count as number 0, 1 … of the node. Nothing: all of them.
std::optional<std::vector<std::string>> DevicesInView(const std::string& device_type);

// How programs on this node reach the driver. Empty: they cannot, as in a private cluster.
struct DriverAccess {
  std::string address;     // HOST:PORT
  std::string token_file;  // path
};

// The node's numbers of the devices that a rank sees, in the order in which it counts them. First comes the first
// device of each of its group's ranks on the node, by local rank: so number LOCAL_RANK is its own. Then come these
// ranks' further devices, then those of the job's other groups of that device type. A group with `own_devices` sees
// each rank's own.
std::vector<int> VisibleTo(const v1::StartJob& job, const v1::Process& process);

// NAME=VALUE: the program's, less what belongs to its machine, and what says where the process stands. `object_memory`
// bytes are for its objects; 0: an even share of half the machine's memory. Where the program has TWINKLE_DRIVER, so
// has the process, with the node's own address of it and the token file that goes with it.
std::vector<std::string> EnvironmentOf(const v1::StartJob& job, const v1::Process& process,
                                       const v1::NodeDescription& node, uint64_t object_memory = 0,
                                       const DriverAccess& driver = {});

}  // namespace twinkle::worker
