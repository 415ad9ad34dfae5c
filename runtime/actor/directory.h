// The directory of a job: its groups and components, beyond single processes.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "runtime/actor/messages.h"

namespace twinkle::actor {

struct GroupInfo {
  std::string name;
  std::string device_type;
  uint64_t domain = 0;  // of its group calls, for device groups
  std::vector<rpc::ProcessId> workers;
  std::vector<std::vector<int>> devices;  // device indexes of each worker; empty for CPU groups
  bool is_cpu() const { return device_type == "cpu"; }
};

// The groups and components of a job. Thread-safe; every function may block. On a cluster it asks the driver: functions
// that give a status also give Unavailable then, when the driver does not answer.
class Directory {
 public:
  virtual ~Directory() = default;

  // The group of that name. InvalidArgument, naming the groups there are: there is none.
  virtual absl::StatusOr<GroupInfo> FindGroup(absl::string_view name) = 0;

  // Makes a component known and gives it its id. With the instance id of a live component of the same class and group
  // that component comes back instead (`*existed`). AlreadyExists: its name is in use. InvalidArgument: the instance id
  // is that of another class or group.
  virtual absl::StatusOr<ComponentInfo> AddComponent(ComponentInfo component, absl::string_view instance_id,
                                                     bool* existed) = 0;
  virtual void RemoveComponent(uint64_t id) = 0;

  // The component of that name. NotFound: there is none.
  virtual absl::StatusOr<ComponentInfo> FindComponent(absl::string_view name) = 0;
  virtual std::vector<ComponentInfo> Components() = 0;

  // Whether a group was aborted, for who waits for its ranks. Only where all ranks are in one process: there none of
  // them is lost when its group is aborted.
  virtual void SetAborted(absl::string_view /*group*/) {}
  virtual bool IsAborted(absl::string_view /*group*/) { return false; }

  // An address HOST:PORT for the component's own connections, the same for all who ask.
  virtual absl::StatusOr<std::string> Rendezvous(uint64_t component) = 0;
};

// The error for a group that is none of these: InvalidArgument.
absl::Status NoSuchGroup(absl::string_view name, const std::vector<std::string>& names);

}  // namespace twinkle::actor
