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
  kCluster,    // worker processes, on this machine or on a cluster
  kLocal,      // every component is one object in this process; calls run in the caller's thread
  kInProcess,  // every rank of every group has its threads in this process; results as on a cluster
};

// Each field is explained in docs/options.md. New fields come at the end, so designated initialisers stay good.
struct InitializeOptions {
  Mode mode = Mode::kCluster;
  std::string driver = {};  // HOST:PORT; empty: $TWINKLE_DRIVER, else a private cluster on this machine
  std::vector<DeviceGroup> groups = {};
  int nproc_per_node = 8;                                // devices of a virtual node
  int ncpu_proc_per_node = 8;                            // CPU slots of one
  std::optional<DeviceMesh> device_mesh = std::nullopt;  // of components that name none
  uint64_t seed = 42;                                    // for Context().seed()
  bool full_determinism = false;
  bool sync = false;         // see Sync; of calls whose method and component do not say
  bool lazy_collect = true;  // see LazyCollect; likewise
  std::string name = {};     // of the job, for people
  // Told of every failure of a remote call, in a thread of its own, one at a time.
  std::function<void(const std::string& message)> notifier = {};
  // What worker processes need besides the program: each finds them, by their base names, in the folder that its
  // environment variable TWINKLE_FILES names, on every machine, for as long as the job runs.
  std::vector<std::string> files = {};
  absl::Duration placement_timeout = absl::Minutes(5);
  absl::Duration finish_timeout = absl::InfiniteDuration();  // how long the end waits for calls under way
  // Of the memory for large values: so much is got ready in the background by the program and each rank, as its first
  // use costs ten times a copy. What was used once is used again without that cost.
  size_t prefault_bytes = 0;
  // Calls that a process may have pending; their arguments may take as much memory as its objects may. One more blocks
  // the program's thread that makes it until another has ended; made inside a method it fails with ResourceExhausted,
  // so that components that call each other do not block for ever.
  int max_pending_calls = 10'000;
  // Memory that the results and Put values of a process may take, of the program and of each rank. What was used
  // longest ago and does not fit goes to files without names in the folder $TWINKLE_SPILL_DIR (/var/tmp), and comes
  // back when it is read. When it cannot be written either, calls that would make more fail with ResourceExhausted. 0:
  // what the node says ($TWINKLE_OBJECT_MEMORY, twinkle-worker --object-memory), else half of the machine's memory,
  // shared evenly by the job's ranks on it; for the program a quarter of its machine's. Not in kInProcess and kLocal.
  size_t object_memory_bytes = 0;
  Compression compression = Compression::kAuto;
  absl::Duration abort_grace = absl::Seconds(30);  // for ranks to leave a method whose call has ended
};

namespace internal {
class SessionState;
}

// There is one at a time. Move-only. The destructor does what Finish does and logs the failure.
class TWINKLE_EXPORT Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Waits for the calls under way (at most finish_timeout; a progress line goes to stderr), ends the job, and returns
  // the first failure that nobody looked at. Not from inside a remote method. FailedPrecondition when called twice.
  absl::Status Finish();

 private:
  friend TWINKLE_EXPORT Answer<Session> Initialize(int argc, char** argv, InitializeOptions options);
  explicit Session(std::shared_ptr<internal::SessionState> state);
  std::shared_ptr<internal::SessionState> state_;
};

// The first line of main. InvalidArgument: options that make no sense. FailedPrecondition: there is a session already.
TWINKLE_EXPORT Answer<Session> Initialize(int argc, char** argv, InitializeOptions options = {});

// For mains that cannot call Initialize first: in a worker process serves its remote objects and exits.
TWINKLE_EXPORT void ServeIfWorker(int argc, char** argv);

// Groups, ranks, nodes and meshes of the session, as a drawing in text.
TWINKLE_EXPORT std::string DevicePlacement();

}  // namespace twinkle
