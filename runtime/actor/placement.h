// Placement: where the processes of a job are, and what can be done to them from outside.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>

#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// What those who placed the processes know of them. Thread-safe; nothing blocks or fails.
class Placement {
 public:
  virtual ~Placement() = default;

  // The place of a process of the job: "host, pid 123".
  virtual std::string PlaceOf(rpc::ProcessId process) const = 0;
  // The machine of a process: equal for processes of one machine. 0: it is not known.
  virtual uint64_t MachineOf(rpc::ProcessId process) const = 0;

  // Whether EndGroup kills: each rank is a process of its own. Else a group ends by what its ranks do themselves
  // (AbortMessage), and a thread that stays in user code is abandoned.
  virtual bool kills() const = 0;
  // Has all processes of the group of `worker` killed, and their callers told the cause. REQUIRES: kills().
  virtual void EndGroup(rpc::ProcessId worker, const std::string& group, const absl::Status& why) = 0;
};

}  // namespace twinkle::actor
