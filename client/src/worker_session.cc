#include "client/src/worker_session.h"

#include "runtime/codec/codec.h"

namespace twinkle::internal {

WorkerSession SessionOf(const InitializeOptions& options) {
  return {.seed = options.seed,
          .mesh = options.device_mesh,
          .sync = options.sync,
          .lazy_collect = options.lazy_collect,
          .abort_grace_ns = absl::ToInt64Nanoseconds(options.abort_grace),
          .prefault_bytes = options.prefault_bytes,
          .max_pending_calls = static_cast<uint64_t>(options.max_pending_calls)};
}

std::string EncodeSession(const WorkerSession& session) { return codec::Encode(codec::Hold(session))->head; }

absl::StatusOr<WorkerSession> DecodeSession(const std::string& bytes) {
  return codec::DecodeAs<WorkerSession>(bytes, {});
}

actor::ProcessOptions OptionsFrom(const WorkerSession& session) {
  actor::ProcessOptions options;
  options.seed = session.seed;
  options.session_mesh = session.mesh;
  options.sync = session.sync;
  options.lazy_collect = session.lazy_collect;
  options.max_pending_calls = session.max_pending_calls;
  options.abort_grace = absl::Nanoseconds(session.abort_grace_ns);
  return options;
}

}  // namespace twinkle::internal
