// The session of a worker process: what it takes over from its program's.
#pragma once

#include <twinkle/device_mesh.h>
#include <twinkle/session.h>

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/actor/services.h"

namespace twinkle::internal {

struct WorkerSession {
  uint64_t seed = 0;
  std::optional<DeviceMesh> mesh;
  bool sync = false;
  bool lazy_collect = true;
  int64_t abort_grace_ns = 0;
  uint64_t prefault_bytes = 0;
  uint64_t max_pending_calls = 0;
  uint64_t object_memory_bytes = 0;  // 0: as the node says
  uint8_t compression = 0;           // a Compression
};

WorkerSession SessionOf(const InitializeOptions& options);

// The session as bytes, which the driver and the node daemons carry as they are.
std::string EncodeSession(const WorkerSession& session);
absl::StatusOr<WorkerSession> DecodeSession(const std::string& bytes);

// The options of a process of that session. Who it is remains to be said.
actor::ProcessOptions OptionsFrom(const WorkerSession& session);

}  // namespace twinkle::internal
