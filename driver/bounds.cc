#include "driver/bounds.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>

#include "runtime/base/cut_text.h"
#include "runtime/base/names.h"
#include "runtime/base/status.h"

namespace twinkle::driver {
namespace {

constexpr int kMostLines = 20;
constexpr size_t kMostLineBytes = 1 << 10;

absl::Status TooMany(absl::string_view what, int64_t number, int64_t most) {
  return absl::InvalidArgumentError(absl::StrCat(what, " is ", number, ": it must be from 0 to ", most));
}

absl::Status CheckCount(absl::string_view what, int64_t number, int64_t most) {
  return number >= 0 && number <= most ? absl::OkStatus() : TooMany(what, number, most);
}

absl::Status CheckWorker(const v1::SubmitJob& job, const v1::Group& group, const v1::Group::Worker& worker) {
  const std::string of_group = absl::StrCat(" of group '", group.name(), "'");
  TWINKLE_RETURN_IF_ERROR(CheckCount(absl::StrCat("the slots of a rank", of_group), worker.slots(), kMostSlots));
  std::set<int> virtual_nodes;
  for (const int index : worker.devices()) {
    TWINKLE_RETURN_IF_ERROR(CheckCount(absl::StrCat("a device index", of_group), index, kMostDeviceIndex));
    virtual_nodes.insert(index / job.devices_per_node());
  }
  if (virtual_nodes.size() <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("group '", group.name(), "': the devices of one worker process are on several virtual nodes of ",
                   job.devices_per_node(), " devices: nproc_per_node must be a multiple of devices_per_worker"));
}

absl::Status CheckGroup(const v1::SubmitJob& job, const v1::Group& group) {
  TWINKLE_RETURN_IF_ERROR(base::CheckFileName("the name of a group", group.name()));
  TWINKLE_RETURN_IF_ERROR(base::CheckName("the device type of a group", group.device_type()));
  for (const v1::Group::Worker& worker : group.workers()) TWINKLE_RETURN_IF_ERROR(CheckWorker(job, group, worker));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckNode(const v1::NodeDescription& node) {
  TWINKLE_RETURN_IF_ERROR(base::CheckName("the name of a node", node.name()));
  TWINKLE_RETURN_IF_ERROR(CheckCount("the number of a node's CPU slots", node.cpu_slots(), kMostSlots));
  TWINKLE_RETURN_IF_ERROR(CheckCount("the number of a node's device types", node.devices_size(), kMostDeviceTypes));
  TWINKLE_RETURN_IF_ERROR(CheckCount("the number of the last job that a node has heard of",
                                     static_cast<int64_t>(node.last_job()), kMostJobs));
  for (const auto& [type, count] : node.devices()) {
    TWINKLE_RETURN_IF_ERROR(base::CheckName("the type of a node's devices", type));
    TWINKLE_RETURN_IF_ERROR(CheckCount(absl::StrCat("the number of a node's ", type, " devices"), count, kMostDevices));
  }
  return absl::OkStatus();
}

absl::Status CheckJob(const v1::SubmitJob& job) {
  TWINKLE_RETURN_IF_ERROR(base::CheckName("the name of the job", job.program().name()));
  if (job.devices_per_node() < 1 || job.slots_per_node() < 1) {
    return absl::InvalidArgumentError("a virtual node must have at least one device and one CPU slot");
  }
  TWINKLE_RETURN_IF_ERROR(CheckCount("the number of groups", job.groups_size(), kMostGroups));
  int64_t workers = 0;
  for (const v1::Group& group : job.groups()) workers += group.workers_size();
  TWINKLE_RETURN_IF_ERROR(CheckCount("the number of the job's ranks", workers, kMostWorkers));
  for (const v1::Group& group : job.groups()) TWINKLE_RETURN_IF_ERROR(CheckGroup(job, group));
  return absl::OkStatus();
}

absl::Status CheckComponent(const v1::Component& component) {
  if (!component.name().empty()) {
    TWINKLE_RETURN_IF_ERROR(base::CheckName("the name of a component", component.name()));
  }
  if (component.instance_id().empty()) return absl::OkStatus();
  return base::CheckName("the instance_id of a component", component.instance_id());
}

std::string CauseOf(const v1::ProcessExited& exited) {
  std::string cause = base::CutText(exited.cause());
  const int first = std::max(0, exited.last_lines_size() - kMostLines);
  for (int i = first; i < exited.last_lines_size(); ++i) {
    absl::StrAppend(&cause, i == first ? "; the last it printed:\n  " : "\n  ",
                    base::CutText(exited.last_lines(i), kMostLineBytes));
  }
  return cause;
}

}  // namespace twinkle::driver
