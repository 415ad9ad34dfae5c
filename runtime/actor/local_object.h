// An object of this process that stands for a whole component.
#pragma once

#include <absl/status/status.h>
#include <twinkle/device_mesh.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/actor/local_group.h"

namespace twinkle::actor {

// Calls run in the caller's thread, one at a time; a method may call the object again.
class LocalObject {
 public:
  // With `mutex` held: the object goes, calls fail with `why`.
  void End(const absl::Status& why) {
    object.reset();
    status = why;
  }

  std::recursive_timed_mutex mutex;
  std::shared_ptr<void> object;             // guarded by `mutex`; null when construction failed or it was released
  absl::Status status;                      // guarded by `mutex`; of the object, whatever its group
  uint64_t id = 0;                          // constant; of the component, unique in the job
  std::optional<DeviceMesh> mesh;           // constant
  std::shared_ptr<const LocalGroup> group;  // constant; null: it belongs to none that could end
};

}  // namespace twinkle::actor
