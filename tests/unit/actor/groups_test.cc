#include "runtime/actor/groups.h"

#include <absl/strings/match.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using Devices = std::vector<std::vector<int>>;
using Ids = std::vector<rpc::ProcessId>;

DeviceGroup Gpu(std::string name, DeviceRanks ranks, int devices_per_worker = 1) {
  DeviceGroup group;
  group.name = std::move(name);
  group.ranks = std::move(ranks);
  group.devices_per_worker = devices_per_worker;
  return group;
}
DeviceGroup Cpu(std::string name, int ranks) {
  DeviceGroup group = Gpu(std::move(name), ranks);
  group.device_type = "cpu";
  return group;
}
DeviceGroup Sharing(DeviceGroup group, std::string with) {
  group.shares_devices_with = std::move(with);
  return group;
}

std::vector<GroupInfo> Must(const std::vector<DeviceGroup>& groups) {
  absl::StatusOr<std::vector<GroupInfo>> laid_out = LayOutGroups(groups, 1);
  INFO(laid_out.status());
  REQUIRE(laid_out.ok());
  return *std::move(laid_out);
}
// The message of the refusal.
std::string Refusal(const std::vector<DeviceGroup>& groups) {
  const absl::Status status = LayOutGroups(groups, 1).status();
  CHECK(absl::IsInvalidArgument(status));
  return std::string(status.message());
}

TEST_CASE("worker processes are numbered in the order of declaration, and so are devices") {
  const auto groups = Must({Gpu("policy", 2), Cpu("loader", 2), Gpu("reward", 3)});
  CHECK(groups[0].workers == Ids{1, 2});
  CHECK(groups[0].devices == Devices{{0}, {1}});
  CHECK(groups[1].workers == Ids{3, 4});
  CHECK(groups[1].devices.empty());
  CHECK(groups[1].is_cpu());
  CHECK(groups[2].workers == Ids{5, 6, 7});
  CHECK(groups[2].devices == Devices{{2}, {3}, {4}});
  CHECK_FALSE(groups[2].is_cpu());
}

TEST_CASE("the first worker process has the number asked for") {
  CHECK((*LayOutGroups({Cpu("a", 1)}, 9))[0].workers == Ids{9});
  CHECK(LayOutGroups({}, 1)->empty());
}

TEST_CASE("each group has an order of its own, told from those of components") {
  const auto groups = Must({Gpu("a", 1), Gpu("b", 1)});
  CHECK(groups[0].domain != groups[1].domain);
  CHECK((groups[0].domain >> 63) == 1);
}

TEST_CASE("several devices a worker process") {
  const auto groups = Must({Gpu("policy", 6, 2), Gpu("reward", {8, 7, 6, 9}, 2)});
  CHECK(groups[0].workers == Ids{1, 2, 3});
  CHECK(groups[0].devices == Devices{{0, 1}, {2, 3}, {4, 5}});
  CHECK(groups[1].devices == Devices{{8, 7}, {6, 9}});
}

TEST_CASE("devices that a group lists are its own; those that are counted fill the gaps") {
  const auto groups = Must({Gpu("listed", {1, 3}), Gpu("counted", 3)});
  CHECK(groups[0].devices == Devices{{1}, {3}});
  CHECK(groups[1].devices == Devices{{0}, {2}, {4}});
}

TEST_CASE("a group may share the devices of one declared before it") {
  const auto groups = Must({Gpu("policy", {4, 5, 6}), Sharing(Gpu("sampler", 2), "policy"), Gpu("reward", 1)});
  CHECK(groups[1].devices == Devices{{4}, {5}});
  CHECK(groups[1].workers == Ids{4, 5});
  CHECK(groups[2].devices == Devices{{0}});
}

TEST_CASE("a group that lists which of the shared devices it wants gets those") {
  const auto groups = Must({Gpu("policy", {4, 5, 6}), Sharing(Gpu("sampler", {5, 6}), "policy")});
  CHECK(groups[1].devices == Devices{{5}, {6}});
}

TEST_CASE("groups that make no sense are refused by name") {
  CHECK(absl::StrContains(Refusal({Gpu("", 1)}), "the name of a device group is empty"));
  CHECK(absl::StrContains(Refusal({Gpu("a", 0)}), "group 'a' has 0 ranks"));
  CHECK(absl::StrContains(Refusal({Cpu("a", -1)}), "group 'a' has -1 ranks"));
  CHECK(absl::StrContains(Refusal({Gpu("a", std::vector<int>())}), "group 'a' has 0 ranks"));
  CHECK(absl::StrContains(Refusal({Gpu("a", 1), Cpu("a", 1)}), "two groups are named 'a'"));
  CHECK(absl::StrContains(Refusal({Gpu("a", 3, 2)}), "cannot be divided by devices_per_worker = 2"));
  CHECK(absl::StrContains(Refusal({Gpu("a", 3, 0)}), "devices_per_worker = 0"));
  CHECK(absl::StrContains(Refusal({Gpu("a", {1, 1})}), "lists a device twice"));
  CHECK(absl::StrContains(Refusal({Gpu("a", {1, -1})}), "or a negative one"));
  CHECK(absl::StrContains(Refusal({Gpu("a", 2), Gpu("b", {1})}), "group 'b' lists device 1"));
}

TEST_CASE("only devices of an earlier device group can be shared, and not more than it has") {
  CHECK(absl::StrContains(Refusal({Sharing(Gpu("a", 1), "b"), Gpu("b", 1)}), "no device group declared before it"));
  CHECK(absl::StrContains(Refusal({Sharing(Gpu("a", 1), "a")}), "no device group declared before it"));
  CHECK(absl::StrContains(Refusal({Cpu("b", 1), Sharing(Gpu("a", 1), "b")}), "no device group declared before it"));
  CHECK(absl::StrContains(Refusal({Gpu("b", 1), Sharing(Gpu("a", 2), "b")}), "wants 2 devices of 'b', which has 1"));
}

}  // namespace
}  // namespace twinkle::actor
