// Placement: which nodes and devices the worker processes of a job get, all of them or none. Pure functions.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

// The device type of groups without devices.
inline constexpr char kCpu[] = "cpu";

// What a node has free.
struct FreeNode {
  uint64_t id = 0;
  std::string name;
  std::string machine;
  int slots = 0;
  std::map<std::string, std::vector<int>> devices;  // by type, the node's own numbers, ascending
};

// What a job wants.
struct Wish {
  std::vector<v1::Group> groups = {};
  int devices_per_node = 8;
  int slots_per_node = 8;
  std::string machine = {};  // of the program: CPU groups are placed there if possible
};

// Where one worker process goes.
struct PlacedWorker {
  uint64_t node = 0;
  std::vector<int> local_devices;  // one for each of the worker's device indexes
};
using PlacedGroups = std::vector<std::vector<PlacedWorker>>;  // by group, by worker

// Places all groups of a job.
//
// Device groups: devices come in virtual nodes of `devices_per_node` device indexes. All devices of a virtual node are
// on one node, which may hold several virtual nodes. The choice of nodes is greedy, for few nodes: each time the node
// that can take most virtual nodes, and among equals the one with the least to spare.
//
// CPU groups: their workers follow in runs of `slots_per_node` where a node has room for a run, if possible on nodes
// that the job already uses.
//
// ResourceExhausted: the job does not fit; the message says what is missing and what there is.
absl::StatusOr<PlacedGroups> Place(const Wish& wish, const std::vector<FreeNode>& nodes);

}  // namespace twinkle::driver
