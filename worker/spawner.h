// The process that starts worker processes: single-threaded, forked from the node daemon before that has any threads,
// so that fork is cheap and safe, and so that whatever becomes of the daemon there is somebody who cleans up.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/rpc/fd_channel.h"

namespace twinkle::worker {

// The daemon's side. Messages are those of proto/twinkle/v1/local.proto: ToSpawner, FromSpawner.
struct Spawner {
  pid_t pid = 0;
  rpc::Fd socket;
};

// Forks the spawner. Before the first thread. Its end, like the end of its socket, ends all that it started.
//
// Each process gets a process group of its own, a signal when the spawner dies, /dev/null as standard input, the
// descriptors of its Spawn message as 3 (role), 1 and 2, and none of any other. When it ends, its process group does;
// when the daemon is gone, so do its scratch folders, and every process that descends from those and still has the
// spawner as its reaper.
absl::StatusOr<Spawner> StartSpawner();

// Where a worker process finds its role's descriptor.
inline constexpr int kRoleDescriptor = 3;

}  // namespace twinkle::worker
