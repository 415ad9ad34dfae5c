#include "client/src/worker_session.h"

#include <absl/strings/str_cat.h>

#include <cstdlib>

#include "runtime/base/bytes_text.h"
#include "runtime/base/log.h"
#include "runtime/base/memory.h"
#include "runtime/codec/flat.h"

namespace twinkle::internal {
namespace {

// The memory for objects: what the node daemon has said, else a quarter of the machine's.
uint64_t ObjectMemoryHere() {
  const char* told = std::getenv("TWINKLE_OBJECT_MEMORY");
  if (told != nullptr) {
    const absl::StatusOr<uint64_t> bytes = base::ParseBytes(told);
    if (bytes.ok()) return *bytes;
    base::Log(base::LogLevel::kWarning, absl::StrCat("TWINKLE_OBJECT_MEMORY: ", bytes.status().message()));
  }
  return base::MachineMemory() / 4;
}

}  // namespace

WorkerSession SessionOf(const InitializeOptions& options) {
  return {.seed = options.seed,
          .mesh = options.device_mesh,
          .sync = options.sync,
          .lazy_collect = options.lazy_collect,
          .abort_grace_ns = absl::ToInt64Nanoseconds(options.abort_grace),
          .prefault_bytes = options.prefault_bytes,
          .max_pending_calls = static_cast<uint64_t>(options.max_pending_calls),
          .object_memory_bytes = options.object_memory_bytes,
          .compression = static_cast<uint8_t>(options.compression)};
}

std::string EncodeSession(const WorkerSession& session) { return *codec::EncodeFlat(session); }

absl::StatusOr<WorkerSession> DecodeSession(const std::string& bytes) {
  return codec::DecodeFlat<WorkerSession>(bytes);
}

actor::ProcessOptions OptionsFrom(const WorkerSession& session) {
  actor::ProcessOptions options;
  options.seed = session.seed;
  options.session_mesh = session.mesh;
  options.sync = session.sync;
  options.lazy_collect = session.lazy_collect;
  options.max_pending_calls = session.max_pending_calls;
  options.abort_grace = absl::Nanoseconds(session.abort_grace_ns);
  options.spill.cap_bytes = session.object_memory_bytes != 0 ? session.object_memory_bytes : ObjectMemoryHere();
  options.spill.folder = object::SpillFolderOfEnvironment();
  return options;
}

}  // namespace twinkle::internal
