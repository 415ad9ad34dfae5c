// A job as the session sees it, wherever its processes are.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/process.h"
#include "runtime/base/clock.h"
#include "runtime/mesh/placement.h"

namespace twinkle::actor {

// Thread-safe.
class Job {
 public:
  virtual ~Job() = default;

  virtual const std::shared_ptr<Process>& program() const = 0;
  Directory& directory() const { return program()->directory(); }

  // Where the worker processes are, for people.
  virtual std::vector<mesh::PlacedGroup> Placed() const = 0;

  // Blocks until all calls of all processes have settled (true) or the deadline.
  virtual bool WaitForCalls(base::Instant deadline) const = 0;
  virtual std::vector<std::string> CallsUnderWay(size_t most) const = 0;

  // Ends the program's part first, then the worker processes. Blocks. Idempotent.
  virtual void Shutdown(const absl::Status& why) = 0;
  // After Shutdown: logs the failures that nobody looked at; the first of the program's, else of the ranks'.
  virtual absl::Status CloseFailures() = 0;
};

}  // namespace twinkle::actor
