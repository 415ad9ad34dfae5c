#include "worker/environment.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "runtime/base/memory.h"
#include "runtime/rpc/address.h"

namespace twinkle::worker {
namespace {

constexpr char kCpu[] = "cpu";

// Whether a variable describes the machine or the terminal on which the program was started, and so is not passed on.
bool BelongsToMachine(const std::string& name) {
  static const auto* const kNames = new std::set<std::string>{"HOSTNAME",
                                                              "DISPLAY",
                                                              "WAYLAND_DISPLAY",
                                                              "XAUTHORITY",
                                                              "XDG_RUNTIME_DIR",
                                                              "DBUS_SESSION_BUS_ADDRESS",
                                                              "TMUX",
                                                              "TMUX_PANE",
                                                              "STY",
                                                              "WINDOWID",
                                                              "TWINKLE_TOKEN_FILE",
                                                              "TWINKLE_OBJECT_MEMORY",
                                                              "TWINKLE_SPILL_DIR",
                                                              "TWINKLE_ROLE_FD"};
  return kNames->count(name) != 0 || absl::StartsWith(name, "SSH_") || absl::StartsWith(name, "SLURM_");
}

const v1::GroupLayout* GroupOf(const v1::StartJob& job, const std::string& name) {
  const auto found = std::find_if(job.groups().begin(), job.groups().end(),
                                  [&](const v1::GroupLayout& one) { return one.name() == name; });
  return found == job.groups().end() ? nullptr : &*found;
}

void AddNew(int device, std::vector<int>* devices) {
  if (std::find(devices->begin(), devices->end(), device) == devices->end()) devices->push_back(device);
}

}  // namespace

std::vector<int> VisibleTo(const v1::StartJob& job, const v1::Process& process) {
  const v1::GroupLayout* const group = GroupOf(job, process.group());
  if (group == nullptr || group->own_devices()) return {process.local_devices().begin(), process.local_devices().end()};
  std::map<int, const v1::Process*> peers;  // by local rank
  for (const v1::Process& one : job.processes()) {
    if (one.group() == process.group()) peers[one.local_rank()] = &one;
  }
  std::vector<int> devices;
  for (const auto& [local_rank, peer] : peers) {
    if (peer->local_devices_size() > 0) AddNew(peer->local_devices(0), &devices);
  }
  for (const auto& [local_rank, peer] : peers) {
    for (int device : peer->local_devices()) AddNew(device, &devices);
  }
  for (const v1::Process& one : job.processes()) {
    const v1::GroupLayout* const other = GroupOf(job, one.group());
    if (other == nullptr || other->device_type() != group->device_type()) continue;
    for (int device : one.local_devices()) AddNew(device, &devices);
  }
  return devices;
}

std::string DeviceVariable(const std::string& device_type) {
  static const auto* const kNames = new std::map<std::string, std::string>{{"cuda", "CUDA_VISIBLE_DEVICES"},
                                                                           {"gpu", "CUDA_VISIBLE_DEVICES"},
                                                                           {"npu", "ASCEND_RT_VISIBLE_DEVICES"},
                                                                           {"rocm", "HIP_VISIBLE_DEVICES"},
                                                                           {"xpu", "ZE_AFFINITY_MASK"}};
  const auto known = kNames->find(device_type);
  return known != kNames->end() ? known->second : absl::StrCat(absl::AsciiStrToUpper(device_type), "_VISIBLE_DEVICES");
}

std::optional<std::vector<std::string>> DevicesInView(const std::string& device_type) {
  const char* const names = std::getenv(DeviceVariable(device_type).c_str());
  if (names == nullptr) return std::nullopt;
  std::vector<std::string> devices;
  for (const absl::string_view name : absl::StrSplit(names, ',', absl::SkipWhitespace())) {
    if (absl::StartsWith(absl::StripAsciiWhitespace(name), "-")) break;  // as device drivers do: no device from here on
    devices.emplace_back(absl::StripAsciiWhitespace(name));
  }
  return devices;
}

namespace {

// The value of a device variable for devices that have these numbers on the node.
std::string NamesOf(const std::string& device_type, const std::vector<int>& devices) {
  const auto in_view = DevicesInView(device_type);
  std::vector<std::string> names;
  for (const int device : devices) {
    const auto index = static_cast<size_t>(device);
    names.push_back(in_view && index < in_view->size() ? (*in_view)[index] : absl::StrCat(device));
  }
  return absl::StrJoin(names, ",");
}

}  // namespace

std::vector<std::string> EnvironmentOf(const v1::StartJob& job, const v1::Process& process,
                                       const v1::NodeDescription& node, uint64_t object_memory,
                                       const DriverAccess& driver) {
  std::map<std::string, std::string> variables;
  for (const std::string& variable : job.program().environment()) {
    const size_t equals = variable.find('=');
    if (equals == std::string::npos || BelongsToMachine(variable.substr(0, equals))) continue;
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  const v1::GroupLayout* const group = GroupOf(job, process.group());
  const bool own_devices = group != nullptr && group->own_devices();
  const auto world_size = job.world_sizes().find(process.group());
  if (group != nullptr) {
    const std::string& address = group->rendezvous();
    const size_t colon = address.rfind(':');
    variables["MASTER_ADDR"] = rpc::HostOf(address);
    variables["MASTER_PORT"] = colon == std::string::npos ? "" : address.substr(colon + 1);
    // A CPU group's processes see no device.
    const bool cpu = group->device_type() == kCpu;
    variables[DeviceVariable(cpu ? "cuda" : group->device_type())] =
        cpu ? "" : NamesOf(group->device_type(), VisibleTo(job, process));
  }
  if (world_size != job.world_sizes().end()) variables["WORLD_SIZE"] = absl::StrCat(world_size->second);
  variables["RANK"] = absl::StrCat(process.rank());
  const auto peers = std::count_if(job.processes().begin(), job.processes().end(),
                                   [&](const v1::Process& one) { return one.group() == process.group(); });
  // With its own devices alone in view a rank counts as the only one of its node.
  variables["LOCAL_RANK"] = absl::StrCat(own_devices ? 0 : process.local_rank());
  variables["LOCAL_WORLD_SIZE"] = absl::StrCat(own_devices ? 1 : peers);
  variables["NODE_RANK"] = absl::StrCat(job.node_rank());
  variables["CLUSTER_NAME"] = process.group();
  variables["WORKER_NAME"] = absl::StrCat(process.group(), "-", process.rank());
  variables["TWINKLE_MODE"] = "cluster";
  variables["TWINKLE_GROUP"] = process.group();
  variables["TWINKLE_JOB"] = absl::StrCat(job.job());
  variables["TWINKLE_NODE"] = node.name();
  variables["TWINKLE_ROLE_FD"] = "3";
  for (const char* const name : {"XDG_RUNTIME_DIR", "TWINKLE_SPILL_DIR"}) {
    if (const char* value = std::getenv(name)) variables[name] = value;
  }
  if (variables.erase("TWINKLE_DRIVER") != 0 && !driver.address.empty()) {
    variables["TWINKLE_DRIVER"] = driver.address;
    variables["TWINKLE_TOKEN_FILE"] = driver.token_file;
  }
  if (object_memory == 0) object_memory = base::MachineMemory() / 2 / std::max(1, job.processes_size());
  variables["TWINKLE_OBJECT_MEMORY"] = absl::StrCat(object_memory);
  std::vector<std::string> all;
  all.reserve(variables.size());
  for (const auto& [name, value] : variables) all.push_back(absl::StrCat(name, "=", value));
  return all;
}

}  // namespace twinkle::worker
