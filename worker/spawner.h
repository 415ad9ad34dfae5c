// The spawner: the process that starts worker processes. It is single-threaded, and forked from the node daemon before
// the daemon has any threads. So fork is cheap and safe, and somebody cleans up whatever happens to the daemon.
//
//   twinkle-worker ── socket ──► spawner ──┬── pipe ── warden ── worker process (rank) ── what it starts
//   (Processes)                            ├── pipe ── warden ── worker process ── …
//
// Each worker process has a warden (warden.h), which does all that can take long: it enters a directory and executes a
// file on storage that may not answer, waits, and ends what a rank leaves behind.
#pragma once

#include <absl/status/statusor.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <set>
#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// The daemon's side of the spawner. The socket carries the messages ToSpawner and FromSpawner of
// proto/twinkle/v1/local.proto.
struct Spawner {
  pid_t pid = 0;
  base::Fd socket;
  std::string cgroups = {};  // the folder above its processes' control groups; empty: there is none
};

struct SpawnerOptions {
  rlimit open_files{};  // the processes' limit of open files
  std::string cgroup;   // folder of the group below which each process has its own; empty: there are none
};

// Forks the spawner. To be called before the first thread starts. When the spawner ends, or its socket, everything that
// it started ends.
//
// Each process gets a process group of its own, a signal when the spawner dies, /dev/null as standard input, the
// descriptors of its Spawn message as kRoleDescriptor, 1 and 2, and no others. When it ends, everything that descends
// from it ends; when the daemon is gone, all processes end and the scratch folders are removed.
absl::StatusOr<Spawner> StartSpawner(const SpawnerOptions& options);

// Removes the scratch folders: called by the spawner when the daemon is gone, and by the daemon when the spawner was
// killed.
void RemoveScratch(const std::set<std::string>& folders);

}  // namespace twinkle::worker
