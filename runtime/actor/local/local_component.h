// A component that is one object of this process.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <mutex>

#include "runtime/actor/component_ref.h"
#include "runtime/actor/local/local_group.h"

namespace twinkle::actor {

// The object. Calls run in the caller's thread, one at a time; a method may call the object again.
struct LocalObject {
  // Ends the object: its value goes, and calls fail with `why`. REQUIRES: `mutex` is held.
  void End(const absl::Status& why) {
    value.reset();
    status = why;
  }

  std::recursive_timed_mutex mutex;
  std::shared_ptr<void> value;  // guarded by `mutex`; null when construction failed or it was released
  absl::Status status;          // guarded by `mutex`; of the object, whatever its group
};

// A component that LocalCalls gives handles to.
struct LocalComponent final : internal::ComponentRef {
  const std::unique_ptr<LocalObject> object = std::make_unique<LocalObject>();
  uint64_t id = 0;                          // unique in the process; the directory knows nothing of it
  std::shared_ptr<const LocalGroup> group;  // null: it belongs to none that could end
};

}  // namespace twinkle::actor
