// A job whose ranks are all in this process: for tests and debuggers.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_group.h>
#include <twinkle/device_mesh.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/process.h"
#include "runtime/rpc/in_memory_network.h"

namespace twinkle::actor {

struct InProcessOptions {
  std::vector<DeviceGroup> groups;
  bool start_workers = true;  // false: the groups are known, but have no processes (Mode::kLocal)
  ProcessOptions process;     // of the program; the ranks' are made from it
  object::FailureLog::Notifier notifier;
  std::shared_ptr<base::Executor> executor;  // tests step it
};

// Thread-safe. Outlives neither its processes' handles nor the other way round: both may go first.
class InProcessJob {
 public:
  // InvalidArgument for groups that make no sense: a name given twice or missing, no ranks, devices_per_worker that
  // does not divide, an unknown group to share devices with, a device listed twice.
  static absl::StatusOr<std::unique_ptr<InProcessJob>> Start(InProcessOptions options);
  ~InProcessJob();

  const std::shared_ptr<Process>& program() const { return program_; }
  Directory& directory() const;
  // For tests.
  const std::shared_ptr<Process>& process(rpc::ProcessId id) const { return workers_[id - 1]; }
  rpc::InMemoryNetwork& network() const;

  // Blocks until all calls of all processes have settled (true) or the deadline.
  bool WaitForCalls(absl::Time deadline) const;
  std::vector<std::string> CallsUnderWay(size_t most) const;
  // After Shutdown: logs the failures that nobody looked at; the first of the program's, else of the ranks'.
  absl::Status CloseFailures();

  // Ends the program's part first, then the ranks', in the groups' order. Blocks.
  void Shutdown(const absl::Status& why);

 private:
  struct World;
  InProcessJob() = default;
  static std::shared_ptr<Process> Join(const std::shared_ptr<World>& world, ProcessOptions options,
                                       object::FailureLog::Notifier notifier);

  std::shared_ptr<World> world_;  // also the processes', as long as they are
  std::shared_ptr<Process> program_;
  std::vector<std::shared_ptr<Process>> workers_;
};

}  // namespace twinkle::actor
