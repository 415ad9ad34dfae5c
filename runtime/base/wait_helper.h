// What a thread that waits anyway can do for its process meanwhile.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/time/time.h>

#include <memory>

#include "runtime/base/clock.h"

namespace twinkle::base {

// Thread-safe.
class WaitHelper {
 public:
  virtual ~WaitHelper() = default;

  // Helps until `done` says true, and then returns true. False: the deadline has passed, or there is nothing to help
  // with for now, and the caller had better sleep. `done` is called often, and must be quick.
  virtual bool Help(absl::FunctionRef<bool()> done, Instant deadline) = 0;

  // What a thread in Help waits for has happened: it may be asleep there. Quick when none is.
  virtual void Wake() = 0;
};

// Whoever waits for an Event helps from now on, for as long as somebody owns the helper. One at a time: of the process
// that has joined a job.
void SetWaitHelper(const std::weak_ptr<WaitHelper>& helper);

// Null: there is none.
std::shared_ptr<WaitHelper> TheWaitHelper();

}  // namespace twinkle::base
