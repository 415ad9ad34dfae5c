#include "driver/placement.h"

#include <absl/strings/match.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::driver {
namespace {

FreeNode Node(uint64_t id, int slots, int devices, const std::string& machine = "") {
  FreeNode node{id, "n" + std::to_string(id), machine.empty() ? "m" + std::to_string(id) : machine, slots, {}};
  for (int device = 0; device < devices; ++device) node.devices["cuda"].push_back(device);
  return node;
}

v1::Group CpuGroup(const std::string& name, int workers, int slots = 1) {
  v1::Group group;
  group.set_name(name);
  group.set_device_type("cpu");
  for (int i = 0; i < workers; ++i) group.add_workers()->set_slots(slots);
  return group;
}

v1::Group DeviceGroup(const std::string& name, int first, int count, int per_worker = 1) {
  v1::Group group;
  group.set_name(name);
  group.set_device_type("cuda");
  for (int device = first; device < first + count; device += per_worker) {
    auto* worker = group.add_workers();
    for (int i = 0; i < per_worker; ++i) worker->add_devices(device + i);
  }
  return group;
}

std::vector<uint64_t> NodesOf(const std::vector<PlacedWorker>& workers) {
  std::vector<uint64_t> nodes;
  for (const PlacedWorker& worker : workers) nodes.push_back(worker.node);
  return nodes;
}

TEST_CASE("the devices of a virtual node are on one machine, and as few machines as possible are used") {
  // Four virtual nodes of 4: the machine with 8 takes two of them, not the two with 4.
  const auto placed = Place({.groups = {DeviceGroup("policy", 0, 8)}, .devices_per_node = 4},
                            {Node(1, 0, 4), Node(2, 0, 8), Node(3, 0, 4)});
  REQUIRE(placed.ok());
  CHECK(NodesOf((*placed)[0]) == std::vector<uint64_t>(8, 2));
  for (int rank = 0; rank < 8; ++rank) CHECK((*placed)[0][rank].local_devices == std::vector<int>{rank});
}

TEST_CASE("of machines that take as many the one with least to spare is chosen") {
  const auto placed = Place({.groups = {DeviceGroup("policy", 0, 4)}, .devices_per_node = 4},
                            {Node(1, 0, 8), Node(2, 0, 4), Node(3, 0, 6)});
  REQUIRE(placed.ok());
  CHECK(NodesOf((*placed)[0]) == std::vector<uint64_t>(4, 2));
}

TEST_CASE("virtual nodes are spread where no machine has room for all, never split") {
  const auto placed = Place({.groups = {DeviceGroup("policy", 0, 12)}, .devices_per_node = 4},
                            {Node(1, 0, 6), Node(2, 0, 4), Node(3, 0, 5)});
  REQUIRE(placed.ok());
  const std::vector<uint64_t> nodes = NodesOf((*placed)[0]);
  for (size_t first = 0; first < nodes.size(); first += 4) {
    CHECK(std::set<uint64_t>(nodes.begin() + first, nodes.begin() + first + 4).size() == 1);
  }
  const auto none = Place({.groups = {DeviceGroup("policy", 0, 16)}, .devices_per_node = 4},
                          {Node(1, 0, 6), Node(2, 0, 4), Node(3, 0, 5)});
  CHECK(absl::IsResourceExhausted(none.status()));
}

TEST_CASE("groups that share devices get the same ones; a worker may have several") {
  const auto placed =
      Place({.groups = {DeviceGroup("policy", 0, 4, 2), DeviceGroup("sampler", 0, 4)}, .devices_per_node = 4},
            {Node(1, 0, 4)});
  REQUIRE(placed.ok());
  CHECK((*placed)[0][1].local_devices == std::vector<int>{2, 3});
  CHECK((*placed)[1][3].local_devices == std::vector<int>{3});
}

TEST_CASE("CPU groups go where the job has devices already, then to the program's machine") {
  const auto beside = Place({.groups = {DeviceGroup("policy", 0, 2), CpuGroup("reward", 2)}, .machine = "m1"},
                            {Node(1, 8, 0), Node(2, 8, 2)});
  REQUIRE(beside.ok());
  CHECK(NodesOf((*beside)[1]) == std::vector<uint64_t>{2, 2});
  const auto alone = Place({.groups = {CpuGroup("reward", 2)}, .machine = "m2"}, {Node(1, 8, 0), Node(2, 8, 0)});
  REQUIRE(alone.ok());
  CHECK(NodesOf((*alone)[0]) == std::vector<uint64_t>{2, 2});
}

TEST_CASE("runs of CPU workers stay together where they can, and are spread where they must") {
  const auto runs = Place({.groups = {CpuGroup("env", 4)}, .slots_per_node = 2}, {Node(1, 3, 0), Node(2, 2, 0)});
  REQUIRE(runs.ok());
  CHECK(NodesOf((*runs)[0]) == std::vector<uint64_t>{1, 1, 2, 2});
  const auto spread = Place({.groups = {CpuGroup("env", 4)}, .slots_per_node = 4}, {Node(1, 3, 0), Node(2, 2, 0)});
  REQUIRE(spread.ok());
  CHECK(NodesOf((*spread)[0]) == std::vector<uint64_t>{1, 1, 1, 2});
}

TEST_CASE("what does not fit is told: which group, what it needs, what there is") {
  const auto devices =
      Place({.groups = {DeviceGroup("policy", 0, 8)}, .devices_per_node = 8}, {Node(1, 4, 4), Node(2, 4, 0)});
  REQUIRE(absl::IsResourceExhausted(devices.status()));
  for (const char* part :
       {"group 'policy'", "8 cuda devices on one node", "n1: 4 CPU slots, 4 cuda", "n2: 4 CPU slots"}) {
    INFO(devices.status());
    CHECK(absl::StrContains(devices.status().message(), part));
  }
  CHECK_FALSE(absl::StrContains(devices.status().message(), "device_type"));
  const auto none = Place({.groups = {DeviceGroup("policy", 0, 8)}, .devices_per_node = 8}, {Node(1, 4, 0)});
  CHECK(absl::StrContains(none.status().message(), "a group that needs no devices says .device_type = \"cpu\""));
  const auto slots = Place({.groups = {CpuGroup("env", 3, 2)}}, {Node(1, 4, 0)});
  REQUIRE(absl::IsResourceExhausted(slots.status()));
  CHECK(absl::StrContains(slots.status().message(), "group 'env': 2 CPU slots for rank 2 of 3 are missing"));
  CHECK(absl::StrContains(Place({.groups = {CpuGroup("env", 1)}}, {}).status().message(), "there are no nodes"));
}

}  // namespace
}  // namespace twinkle::driver
