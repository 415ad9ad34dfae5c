// The environment of a worker process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::worker {

// The environment variable that tells a device type's runtime which devices it may see: CUDA_VISIBLE_DEVICES for
// "cuda".
std::string DeviceVariable(const std::string& device_type);

// The devices of a type that this process may see, as its own environment names them (by number, or otherwise). The
// node's devices number 0, 1 … are these, in this order. Nothing: the environment does not restrict them.
std::optional<std::vector<std::string>> DevicesInView(const std::string& device_type);

// How programs on this node reach the driver. Empty fields: they cannot, as in a private cluster.
struct DriverAccess {
  std::string address;     // HOST:PORT
  std::string token_file;  // path
};

// The node's device numbers that a rank sees, in the order in which the rank counts them:
//  1. the first device of each rank of its group on the node, by local rank, so that device LOCAL_RANK is the rank's
//     own;
//  2. the further devices of these ranks;
//  3. the devices of the job's other groups of the same device type.
// In a group with `own_devices` a rank sees its own devices only.
std::vector<int> VisibleTo(const v1::StartJob& job, const v1::Process& process);

// The environment of a worker process, as NAME=VALUE: the program's, without the variables that belong to the program's
// machine, and with those that tell a rank its place (RANK, WORLD_SIZE, …). `object_memory`: bytes for the process's
// objects; 0: an even share of half the machine's memory. Where the program has TWINKLE_DRIVER the process has it, too,
// with this node's address of the driver and the token file for it.
std::vector<std::string> EnvironmentOf(const v1::StartJob& job, const v1::Process& process,
                                       const v1::NodeDescription& node, uint64_t object_memory = 0,
                                       const DriverAccess& driver = {});

}  // namespace twinkle::worker
