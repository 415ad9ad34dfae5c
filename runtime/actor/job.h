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

// The processes of one session. Thread-safe. Shutdown ends them, within the limits of end_limits.h; the destructor does
// so, too.
class Job {
 public:
  virtual ~Job() = default;

  virtual const std::shared_ptr<Process>& program() const = 0;
  Directory& directory() const { return program()->directory(); }

  // The places of the worker processes, for people.
  virtual std::vector<mesh::PlacedGroup> Placed() const = 0;

  // Blocks until all calls of all processes have settled. False: they have not by the deadline.
  virtual bool WaitForCalls(base::Instant deadline) const = 0;
  virtual std::vector<std::string> CallsUnderWay(size_t most) const = 0;

  // Ends the program's part first, then the worker processes. Blocks. Idempotent.
  virtual void Shutdown(const absl::Status& why) = 0;
  // Logs the failures that nobody looked at, and gives the first of the program's, else of the ranks'. REQUIRES:
  // Shutdown was called.
  virtual absl::Status CloseFailures() = 0;
};

}  // namespace twinkle::actor
