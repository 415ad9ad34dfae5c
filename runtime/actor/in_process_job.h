// A job whose ranks are all in this process: for tests and debuggers.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_group.h>
#include <twinkle/device_mesh.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/in_process_placement.h"
#include "runtime/actor/job.h"
#include "runtime/actor/process.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/in_memory_network.h"

namespace twinkle::actor {

struct InProcessOptions {
  std::vector<DeviceGroup> groups;
  bool start_workers = true;  // false: the groups are known, but have no processes (Mode::kLocal)
  ProcessOptions process;     // of the program; the ranks' are made from it
  object::FailureLog::Notifier notifier;
  std::shared_ptr<base::Executor> executor;         // tests step it
  InProcessPlacement::MachineOfProcess machine_of;  // for tests of what crosses between machines
};

// A Job that runs its ranks as threads of this process. Thread-safe. The job and the handles of its processes may go in
// either order.
class InProcessJob final : public Job {
 public:
  // Starts the job. InvalidArgument: the groups make no sense (a name given twice or missing, no ranks,
  // devices_per_worker that does not divide, an unknown group to share devices with, a device listed twice).
  static absl::StatusOr<std::unique_ptr<InProcessJob>> Start(InProcessOptions options);
  ~InProcessJob() override;

  const std::shared_ptr<Process>& program() const override { return program_; }
  // A rank's process, for tests.
  const std::shared_ptr<Process>& process(rpc::ProcessId id) const { return workers_[id - 1]; }
  rpc::InMemoryNetwork& network() const;

  std::vector<mesh::PlacedGroup> Placed() const override;
  bool WaitForCalls(base::Instant deadline) const override;
  std::vector<std::string> CallsUnderWay(size_t most) const override;
  absl::Status CloseFailures() override;
  void Shutdown(const absl::Status& why) override;

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
