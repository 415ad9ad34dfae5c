#include "runtime/actor/groups.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>
#include <string>

#include "runtime/base/names.h"
#include "runtime/base/status.h"

namespace twinkle::actor {
namespace {

// Group domains are told from components' by this bit.
constexpr uint64_t kGroupDomain = uint64_t{1} << 63;

constexpr int kMostRanks = 100'000;
constexpr int kMostDeviceIndex = 1'000'000;

absl::Status Check(const DeviceGroup& group) {
  const int ranks = group.ranks.count();
  TWINKLE_RETURN_IF_ERROR(base::CheckFileName("the name of a device group", group.name));
  TWINKLE_RETURN_IF_ERROR(
      base::CheckName(absl::StrCat("the device_type of group '", group.name, "'"), group.device_type));
  if (ranks < 1)
    return absl::InvalidArgumentError(
        absl::StrCat("group '", group.name, "' has ", ranks, " ranks; it needs at least 1"));
  if (ranks > kMostRanks) {
    return absl::InvalidArgumentError(
        absl::StrCat("group '", group.name, "' has ", ranks, " ranks; at most ", kMostRanks, " are possible"));
  }
  if (group.devices_per_worker < 1 || ranks % group.devices_per_worker != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("group '", group.name, "': its ", ranks,
                     " ranks cannot be divided by devices_per_worker = ", group.devices_per_worker));
  }
  const std::vector<int>& listed = group.ranks.indexes();
  const std::set<int> different(listed.begin(), listed.end());
  if (different.size() != listed.size() || (!listed.empty() && *different.begin() < 0)) {
    return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' lists a device twice, or a negative one"));
  }
  if (!listed.empty() && *different.rbegin() > kMostDeviceIndex) {
    return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' lists device ", *different.rbegin(),
                                                   "; the highest possible is ", kMostDeviceIndex));
  }
  return absl::OkStatus();
}

std::vector<int> DevicesOf(const GroupInfo& group) {
  std::vector<int> devices;
  for (const std::vector<int>& worker : group.devices) devices.insert(devices.end(), worker.begin(), worker.end());
  return devices;
}

// The devices of another group that this one asks for: as many as it has ranks, or those it lists.
absl::StatusOr<std::vector<int>> ShareDevices(const DeviceGroup& group, const GroupInfo& other) {
  std::vector<int> devices = DevicesOf(other);
  for (int listed : group.ranks.indexes()) {
    if (std::find(devices.begin(), devices.end(), listed) == devices.end()) {
      return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' lists device ", listed,
                                                     ", which group '", other.name, "' does not have"));
    }
  }
  if (!group.ranks.indexes().empty()) return group.ranks.indexes();
  const size_t count = static_cast<size_t>(group.ranks.count());
  if (devices.size() < count) {
    return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' wants ", count, " devices of '",
                                                   other.name, "', which has ", devices.size()));
  }
  devices.resize(count);
  return devices;
}

// The device indexes of a group that is declared after `earlier`, of which `used` are taken.
absl::StatusOr<std::vector<int>> TakeDevices(const DeviceGroup& group, const std::vector<GroupInfo>& earlier,
                                             std::set<int>& used) {
  const size_t count = static_cast<size_t>(group.ranks.count());
  if (!group.shares_devices_with.empty()) {
    const auto other = std::find_if(earlier.begin(), earlier.end(),
                                    [&](const GroupInfo& info) { return info.name == group.shares_devices_with; });
    if (other == earlier.end() || other->is_cpu()) {
      return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' shares the devices of '",
                                                     group.shares_devices_with,
                                                     "', which is no device group declared before it"));
    }
    return ShareDevices(group, *other);
  }
  std::vector<int> devices = group.ranks.indexes();
  for (int next = 0; devices.size() < count; ++next) {
    if (used.count(next) == 0) devices.push_back(next);
  }
  for (int device : devices) {
    if (!used.insert(device).second) {
      return absl::InvalidArgumentError(absl::StrCat("group '", group.name, "' lists device ", device,
                                                     ", which an earlier group has (shares_devices_with allows that)"));
    }
  }
  return devices;
}

}  // namespace

uint64_t GroupDomain(rpc::ProcessId first_worker) { return kGroupDomain | first_worker; }

mesh::PlacedGroup PlacedGroupOf(const GroupInfo& group,
                                const std::function<std::pair<std::string, std::string>(rpc::ProcessId)>& where) {
  mesh::PlacedGroup placed{group.name, group.device_type, {}};
  for (size_t rank = 0; rank < group.workers.size(); ++rank) {
    auto [node, process] = where(group.workers[rank]);
    mesh::PlacedRank worker{static_cast<int>(rank), std::move(node), std::move(process), {}};
    for (int device : group.is_cpu() ? std::vector<int>() : group.devices[rank]) {
      worker.devices.push_back(absl::StrCat(group.device_type, ":", device));
    }
    placed.ranks.push_back(std::move(worker));
  }
  return placed;
}

absl::StatusOr<std::vector<GroupInfo>> LayOutGroups(const std::vector<DeviceGroup>& groups,
                                                    rpc::ProcessId first_process) {
  std::vector<GroupInfo> infos;
  std::set<int> used;
  for (const DeviceGroup& group : groups) {
    TWINKLE_RETURN_IF_ERROR(Check(group));
    for (const GroupInfo& earlier : infos) {
      if (earlier.name == group.name)
        return absl::InvalidArgumentError(absl::StrCat("two groups are named '", group.name, "'"));
    }
    GroupInfo info{group.name, group.device_type, GroupDomain(first_process), {}, {}};
    std::vector<int> devices;
    if (!info.is_cpu()) {
      TWINKLE_ASSIGN_OR_RETURN(devices, TakeDevices(group, infos, used));
    }
    for (int worker = 0; worker < group.ranks.count() / group.devices_per_worker; ++worker) {
      info.workers.push_back(first_process++);
      if (info.is_cpu()) continue;
      const auto first = devices.begin() + worker * group.devices_per_worker;
      info.devices.emplace_back(first, first + group.devices_per_worker);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace twinkle::actor
