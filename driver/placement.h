// Where the worker processes of a job go: all of them, or none. Pure functions.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

// The device type of groups that have no devices.
inline constexpr char kCpu[] = "cpu";

// What a node has to give.
struct FreeNode {
  uint64_t id = 0;
  std::string name;
  std::string machine;
  int slots = 0;
  std::map<std::string, std::vector<int>> devices;  // by type, the node's own numbers, ascending
};

struct Wish {
  std::vector<v1::Group> groups = {};
  int devices_per_node = 8;
  int slots_per_node = 8;
  std::string machine = {};  // of the program: CPU groups like to be there
};

struct PlacedWorker {
  uint64_t node = 0;
  std::vector<int> local_devices;  // one for each of the worker's device indexes
};
using PlacedGroups = std::vector<std::vector<PlacedWorker>>;  // by group, by worker

// Devices come in virtual nodes of `devices_per_node` device indexes: those of one virtual node are on one node, which
// may hold several; as few nodes as a greedy choice finds, each time the one that can take most virtual nodes, of
// equals the one with least to spare. Then the workers of CPU groups, in runs of `slots_per_node` where a node has room
// for a run, on nodes that the job uses already if it can be. ResourceExhausted: it does not fit; the message says what
// is missing and what there is.
absl::StatusOr<PlacedGroups> Place(const Wish& wish, const std::vector<FreeNode>& nodes);

}  // namespace twinkle::driver
