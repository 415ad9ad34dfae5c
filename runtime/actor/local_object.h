// An object of this process that stands for a whole component.
#pragma once

#include <absl/status/status.h>
#include <twinkle/device_mesh.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace twinkle::actor {

// Calls run in the caller's thread, one at a time; a method may call the object again.
class LocalObject {
 public:
  std::recursive_timed_mutex mutex;
  std::shared_ptr<void> object;    // guarded by `mutex`; null when construction failed or it was released
  absl::Status status;             // guarded by `mutex`
  uint64_t id = 0;                 // constant; of the component, unique in the job
  std::optional<DeviceMesh> mesh;  // constant
};

}  // namespace twinkle::actor
