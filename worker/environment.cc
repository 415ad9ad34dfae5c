#include "worker/environment.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "runtime/base/memory.h"

namespace twinkle::worker {
namespace {

constexpr char kCpu[] = "cpu";

// What is about the machine or the terminal on which the program was started.
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

}  // namespace

std::string DeviceVariable(const std::string& device_type) {
  static const auto* const kNames = new std::map<std::string, std::string>{{"cuda", "CUDA_VISIBLE_DEVICES"},
                                                                           {"gpu", "CUDA_VISIBLE_DEVICES"},
                                                                           {"npu", "ASCEND_RT_VISIBLE_DEVICES"},
                                                                           {"rocm", "HIP_VISIBLE_DEVICES"},
                                                                           {"xpu", "ZE_AFFINITY_MASK"}};
  const auto known = kNames->find(device_type);
  return known != kNames->end() ? known->second : absl::StrCat(absl::AsciiStrToUpper(device_type), "_VISIBLE_DEVICES");
}

std::vector<std::string> EnvironmentOf(const v1::StartJob& job, const v1::Process& process,
                                       const v1::NodeDescription& node, uint64_t object_memory,
                                       const DriverAccess& driver) {
  std::map<std::string, std::string> variables;
  for (const std::string& variable : job.program().environment()) {
    const size_t equals = variable.find('=');
    if (equals == std::string::npos || BelongsToMachine(variable.substr(0, equals))) continue;
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  const auto group = std::find_if(job.groups().begin(), job.groups().end(),
                                  [&](const v1::GroupLayout& one) { return one.name() == process.group(); });
  const auto world_size = job.world_sizes().find(process.group());
  if (group != job.groups().end()) {
    const std::string& address = group->rendezvous();
    const size_t colon = address.rfind(':');
    variables["MASTER_ADDR"] = address.substr(0, colon);
    variables["MASTER_PORT"] = colon == std::string::npos ? "" : address.substr(colon + 1);
    // A CPU group's processes see no device.
    const bool cpu = group->device_type() == kCpu;
    variables[DeviceVariable(cpu ? "cuda" : group->device_type())] = absl::StrJoin(process.local_devices(), ",");
  }
  if (world_size != job.world_sizes().end()) variables["WORLD_SIZE"] = absl::StrCat(world_size->second);
  variables["RANK"] = absl::StrCat(process.rank());
  variables["LOCAL_RANK"] = absl::StrCat(process.local_rank());
  variables["LOCAL_WORLD_SIZE"] =
      absl::StrCat(std::count_if(job.processes().begin(), job.processes().end(),
                                 [&](const v1::Process& one) { return one.group() == process.group(); }));
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
