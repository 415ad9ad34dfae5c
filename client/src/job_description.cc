#include "client/src/job_description.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "client/src/start_facts.h"
#include "client/src/start_signals.h"
#include "client/src/worker_session.h"
#include "runtime/actor/failure.h"
#include "runtime/actor/groups.h"
#include "runtime/base/names.h"
#include "runtime/base/status.h"
#include "runtime/rpc/place.h"

namespace twinkle::internal {
namespace {

constexpr size_t kMostBytes = 3 << 20;  // gRPC takes 4 MiB

template <class Texts>
size_t BytesOf(const Texts& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

// The name of a job that its program gave none: that of the program's file, which may have any.
std::string NameFrom(const std::string& executable) {
  const std::string name = base::Printable(actor::BaseName(executable)).substr(0, base::kLongestName);
  return base::CheckName("the program's file", name).ok() ? name : "program";
}

v1::Group GroupOf(const actor::GroupInfo& info, const DeviceGroup& declared) {
  v1::Group group;
  group.set_name(info.name);
  group.set_device_type(info.device_type);
  group.set_own_devices(declared.visible_devices == VisibleDevices::kOwn);
  for (size_t rank = 0; rank < info.workers.size(); ++rank) {
    v1::Group::Worker& worker = *group.add_workers();
    if (info.is_cpu()) {
      worker.set_slots(declared.devices_per_worker);
    } else {
      for (int device : info.devices[rank]) worker.add_devices(device);
    }
  }
  return group;
}

// Whether ranks are given a variable. The token file is the program's machine's; a rank's driver, and its token, are
// told by its node.
bool IsForRanks(absl::string_view variable) { return !absl::StartsWith(variable, "TWINKLE_TOKEN_FILE="); }

v1::Program ThisProgram(const InitializeOptions& options) {
  v1::Program program;
  std::error_code ignored;
  program.set_executable(std::filesystem::read_symlink("/proc/self/exe", ignored).string());
  program.set_name(options.name.empty() ? NameFrom(program.executable()) : options.name);
  program.mutable_place()->set_machine(rpc::ThisMachine());
  program.mutable_place()->set_host(rpc::ThisHost());
  program.mutable_place()->set_pid(::getpid());
  program.mutable_place()->set_pids(rpc::ThisPids());
  StartFacts start = TheStart();
  for (std::string& word : start.arguments) program.add_arguments(std::move(word));
  for (std::string& variable : start.environment) {
    if (IsForRanks(variable)) program.add_environment(std::move(variable));
  }
  program.add_environment(absl::StrCat("TWINKLE_SEED=", options.seed));
  program.add_environment(absl::StrCat("TWINKLE_FULL_DETERMINISM=", options.full_determinism ? 1 : 0));
  program.set_directory(std::move(start.directory));
  program.set_ignored_signals(SignalsAtStart().ignored);
  program.set_blocked_signals(SignalsAtStart().blocked);
  return program;
}

absl::Status CheckSize(const v1::SubmitJob& submit) {
  const size_t size = submit.ByteSizeLong();
  if (size <= kMostBytes) return absl::OkStatus();
  size_t groups = 0;
  for (const v1::Group& group : submit.groups()) groups += group.ByteSizeLong();
  return absl::InvalidArgumentError(
      absl::StrCat("the job's description takes ", size, " bytes, of ", kMostBytes,
                   " that are allowed: ", BytesOf(submit.program().environment()), " for the program's environment, ",
                   BytesOf(submit.program().arguments()), " for its arguments, ", groups, " for the groups"));
}

}  // namespace

absl::StatusOr<v1::SubmitJob> DescribeJob(const InitializeOptions& options) {
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<actor::GroupInfo> groups, actor::LayOutGroups(options.groups, 1));
  v1::SubmitJob submit;
  *submit.mutable_program() = ThisProgram(options);
  for (size_t i = 0; i < groups.size(); ++i) *submit.add_groups() = GroupOf(groups[i], options.groups[i]);
  submit.set_devices_per_node(options.nproc_per_node);
  submit.set_slots_per_node(options.ncpu_proc_per_node);
  submit.set_placement_limit_ms(absl::ToInt64Milliseconds(std::min(options.placement_timeout, absl::Hours(24 * 365))));
  submit.set_session(EncodeSession(SessionOf(options)));
  TWINKLE_RETURN_IF_ERROR(CheckSize(submit));
  return submit;
}

absl::Status CheckSize(const v1::Component& component) {
  const size_t size = component.ByteSizeLong();
  if (size <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the component's description, with its mesh and its ranks, takes ",
                                                 size, " bytes, of ", kMostBytes, " that are allowed"));
}

}  // namespace twinkle::internal
