// The session: from Initialize to Finish.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <twinkle/answer.h>
#include <twinkle/compression.h>
#include <twinkle/device_group.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace twinkle {

enum class Mode {
  kCluster,    // worker processes run the ranks, on this machine or on a cluster
  kLocal,      // every component is one object in this process, and calls run in the caller's thread
  kInProcess,  // every rank of every group has its threads in this process; results are as on a cluster
};

// Options of a session. Each field is explained in docs/options.md. New fields are added at the end, so that designated
// initialisers remain valid.
struct InitializeOptions {
  Mode mode = Mode::kCluster;
  std::string driver = {};  // HOST:PORT; empty: $TWINKLE_DRIVER, else a private cluster on this machine
  std::vector<DeviceGroup> groups = {};
  int nproc_per_node = 8;                                // size of a virtual node, in devices
  int ncpu_proc_per_node = 8;                            // size of a virtual node, in CPU slots
  std::optional<DeviceMesh> device_mesh = std::nullopt;  // for components without a mesh of their own
  uint64_t seed = 42;                                    // for Context().seed()
  bool full_determinism = false;
  bool sync = false;         // Sync, for calls whose method and component do not set it
  bool lazy_collect = true;  // LazyCollect, likewise
  std::string name = {};     // of the job, for texts
  // Called with every failure of a remote call, in a thread of its own, one call at a time.
  std::function<void(const std::string& message)> notifier = {};
  // Files that worker processes need besides the program. Each process finds them, by their base names, in the folder
  // that its environment variable TWINKLE_FILES names, on every machine, for as long as the job runs.
  std::vector<std::string> files = {};
  absl::Duration placement_timeout = absl::Minutes(5);
  absl::Duration finish_timeout = absl::InfiniteDuration();  // how long Finish waits for calls under way
  // Memory for large values that the program and each rank prepare in the background, in bytes, because the first use
  // of memory costs ten times a copy. Memory that was used once is used again without that cost.
  size_t prefault_bytes = 0;
  // The number of calls that a process may have pending. Their arguments may take as much memory as its objects may.
  // One more call blocks the program's thread that makes it until another call has ended. Inside a method it fails with
  // ResourceExhausted, so that components that call each other do not block for ever.
  int max_pending_calls = 10'000;
  // The memory in bytes that results and Put values may take in the program, and in each rank. Beyond that, what was
  // used longest ago goes to files without names in the folder $TWINKLE_SPILL_DIR (/var/tmp), and comes back when it is
  // read. If it cannot be written either, calls that would make more fail with ResourceExhausted. 0: what the node says
  // ($TWINKLE_OBJECT_MEMORY, twinkle-worker --object-memory), otherwise half of the machine's memory, shared evenly by
  // the job's ranks on it; for the program a quarter of its machine's. Not used in kInProcess and kLocal.
  size_t object_memory_bytes = 0;
  Compression compression = Compression::kAuto;
  absl::Duration abort_grace = absl::Seconds(30);  // for ranks to leave a method whose call has ended
};

namespace internal {
class SessionState;
}

// A session. There is one at a time in a process. Move-only. For one thread at a time. The destructor does what Finish
// does, and logs its failure.
class TWINKLE_EXPORT Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Waits for the calls under way (at most finish_timeout; a progress line goes to stderr), ends the job, and returns
  // the first failure that nobody looked at. Must not be called from inside a remote method. FailedPrecondition: it was
  // called before.
  absl::Status Finish();

 private:
  friend TWINKLE_EXPORT Answer<Session> Initialize(int argc, char** argv, InitializeOptions options);
  explicit Session(std::shared_ptr<internal::SessionState> state);
  std::shared_ptr<internal::SessionState> state_;
};

// Begins a session; to be called in the first line of main. InvalidArgument: options that make no sense.
// FailedPrecondition: there is a session already.
TWINKLE_EXPORT Answer<Session> Initialize(int argc, char** argv, InitializeOptions options = {});

// For programs whose main cannot call Initialize first: in a worker process, serves its remote objects and exits.
// Elsewhere does nothing.
TWINKLE_EXPORT void ServeIfWorker(int argc, char** argv);

// The groups, ranks, nodes and meshes of the session, as a drawing in text.
TWINKLE_EXPORT std::string DevicePlacement();

}  // namespace twinkle
