// The process that starts worker processes: single-threaded, forked from the node daemon before that has any threads,
// so that fork is cheap and safe, and so that whatever becomes of the daemon there is somebody who cleans up.
//
//   twinkle-worker ── socket ──► spawner ──┬── pipe ── warden ── worker process (rank) ── what it starts
//   (Processes)                            ├── pipe ── warden ── worker process ── …
//
// Each worker process has a warden (warden.h), which does all that can take long: entering a directory and executing a
// file on storage that may not answer, waiting, and ending what a rank leaves behind.
#pragma once

#include <absl/status/statusor.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <set>
#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// The daemon's side. Messages are those of proto/twinkle/v1/local.proto: ToSpawner, FromSpawner.
struct Spawner {
  pid_t pid = 0;
  base::Fd socket;
  std::string cgroups = {};  // folder above those of its processes; empty: there is none
};

struct SpawnerOptions {
  rlimit open_files{};  // with which processes begin
  std::string cgroup;   // folder of the control group in which each has one of its own; empty: they have none
};

// Forks the spawner. Before the first thread. Its end, like the end of its socket, ends all that it started.
//
// Each process gets a process group of its own, a signal when the spawner dies, /dev/null as standard input, the
// descriptors of its Spawn message as kRoleDescriptor, 1 and 2, and none of any other. When it ends, everything does
// that descends from it; when the daemon is gone, so do its scratch folders and all processes.
absl::StatusOr<Spawner> StartSpawner(const SpawnerOptions& options);

// What goes when the daemon does: by the spawner, or after it, where that was killed.
void RemoveScratch(const std::set<std::string>& folders);

}  // namespace twinkle::worker
