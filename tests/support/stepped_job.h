// Jobs whose processes are all here and whose insides a test may look at, as the current session: New, Find and handles
// work as they do in a program.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <twinkle/twinkle.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/src/session_state.h"
#include "runtime/actor/component_ref.h"
#include "runtime/actor/in_process_job.h"
#include "runtime/base/stepped_executor.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::tests {

inline DeviceGroup CpuGroup(std::string name, int ranks) {
  return {.name = std::move(name), .ranks = ranks, .device_type = "cpu"};
}
// Its ranks have one lane each for all their objects, and its group calls one order. No device is needed.
inline DeviceGroup DevicesGroup(std::string name, int ranks) {
  return {.name = std::move(name), .ranks = ranks, .device_type = "cuda"};
}

// There is one at a time. Declare it before the handles and lazies that come from it.
class InstalledJob {
 public:
  explicit InstalledJob(actor::InProcessOptions options);
  ~InstalledJob();
  InstalledJob(const InstalledJob&) = delete;
  InstalledJob& operator=(const InstalledJob&) = delete;

  const actor::InProcessJob& job() const { return static_cast<const actor::InProcessJob&>(state_->job()); }
  rpc::InMemoryNetwork& network() const { return job().network(); }
  rpc::ProcessId Id(const std::string& group, int rank = 0) const;
  actor::Process& process(const std::string& group, int rank = 0) const { return *job().process(Id(group, rank)); }
  actor::Process& program() const { return *job().program(); }
  // Ends all processes. Calls that are under way fail.
  void Shutdown();

 private:
  std::shared_ptr<internal::SessionState> state_;
};

// Nothing in it runs until the test says which queue takes a step; so nothing that blocks may be called before what it
// waits for is there. At the end what is left to do on lanes and collectors is done at once.
class SteppedJob {
 public:
  explicit SteppedJob(std::vector<DeviceGroup> groups, absl::Duration abort_grace = absl::Seconds(30));
  ~SteppedJob() { Shutdown(); }

  base::SteppedExecutor& executor() const { return *executor_; }
  rpc::InMemoryNetwork& network() const { return installed_.network(); }
  rpc::ProcessId Id(const std::string& group, int rank = 0) const { return installed_.Id(group, rank); }
  actor::Process& process(const std::string& group, int rank = 0) const { return installed_.process(group, rank); }
  actor::Process& program() const { return installed_.program(); }
  // All processes, the program first.
  std::vector<std::shared_ptr<actor::Process>> Processes() const;

  // Until nothing is left to do, but on the queues named.
  void Run(const std::vector<std::string>& but = {}) { executor_->RunAll(but); }
  // One queue until it has nothing left.
  void Drain(const std::string& queue) { executor_->Drain(queue); }
  // The process's end as the others see it; the process itself goes on in vain.
  void Kill(const std::string& group, int rank = 0);
  // Ends all processes, the program first. Calls that are under way fail.
  void Shutdown();

 private:
  const std::shared_ptr<base::SteppedExecutor> executor_;
  const std::shared_ptr<bool> ending_;
  InstalledJob installed_;
  std::vector<std::string> groups_;
};

// Names of queues.
inline std::string ServiceOf(absl::string_view group, int rank = 0) { return absl::StrCat(group, ".", rank); }
// The one lane of a rank of a device group.
inline std::string LaneOf(absl::string_view group, int rank = 0) { return absl::StrCat(group, ".", rank, ".0"); }
// The lanes of all ranks of a device group.
std::vector<std::string> LanesOf(absl::string_view group, int ranks);
// A component's lane on a rank of a CPU group.
template <class T>
std::string LaneOf(const Remote<T>& remote, int rank = 0) {
  const actor::ComponentInfo& info = internal::RemoteAccess::Component(remote)->info;
  return absl::StrCat(info.group, ".", rank, ".", info.id);
}

// The state behind a lazy.
template <class T>
internal::LazyCore& CoreOf(const Lazy<T>& lazy) {
  return *internal::LazyAccess::Core(lazy);
}
// What the call came to, without looking at it: Unavailable("not settled") before that.
template <class T>
absl::Status StatusOf(const Lazy<T>& lazy) {
  return lazy.Ready() ? CoreOf(lazy).status() : absl::UnavailableError("not settled");
}

}  // namespace twinkle::tests
