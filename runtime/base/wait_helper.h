// WaitHelper: what a waiting thread can do for its process meanwhile.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/time/time.h>

#include <memory>

#include "runtime/base/clock.h"

namespace twinkle::base {

// Work that waiting threads take over. Thread-safe.
class WaitHelper {
 public:
  virtual ~WaitHelper() = default;

  // Helps until `done` returns true, and then returns true. False: the deadline has passed, or there is nothing to help
  // with for now, and the caller should sleep. `done` is called often, and must be quick.
  virtual bool Help(absl::FunctionRef<bool()> done, Instant deadline) = 0;

  // Wakes threads that sleep in Help, because what they wait for may have happened. Quick when none sleeps.
  virtual void Wake() = 0;
};

// Installs the helper for all waits for an Event, for as long as somebody owns it. There is one at a time: that of the
// process that has joined a job. Thread-safe.
void SetWaitHelper(const std::weak_ptr<WaitHelper>& helper);

// The installed helper; null: there is none. Thread-safe.
std::shared_ptr<WaitHelper> TheWaitHelper();

}  // namespace twinkle::base
