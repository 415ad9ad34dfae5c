// The parent of a private cluster's service, where a service that leaves its starter would come back to the program: in
// a program that is the init of its PID namespace, as a container's first process is, or a subreaper.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include "runtime/base/clock.h"

namespace twinkle::internal {

// Whether processes whose parents have ended become this program's children.
bool TakesInOrphans();

// What is to be started, as posix_spawn takes it.
struct Launch {
  const char* path;
  const posix_spawn_file_actions_t* files;
  const posix_spawnattr_t* attributes;
  char* const* arguments;
};

// Makes a keeper: a copy of the program that starts the service, takes in what leaves it, and ends when all of that has
// ended. No wait of the program's sees the keeper, unless that asks for __WALL or __WCLONE: its end sends no signal.
// (The kernel keeps that for a child which executes nothing; so no service could be such a child itself.) Waits until
// the service's file is executed, as posix_spawn does: for ever where it lies on storage that does not answer, as what
// began there does. The keeper shares the program's pages until either writes to them; the system must be ready to
// promise it as much memory as the program has. Gives 0, the keeper's pid and that of its child, or an errno.
int LaunchKept(const Launch& launch, pid_t* keeper, pid_t* child);

// Waits until the deadline for a child, a keeper or another one, that is to end. A child that has not ended then (it
// has more to wait for, or cannot be killed) is waited for by a thread of its own, if there is one to be had, so that
// it does not stay as a zombie.
void AwaitChild(pid_t child, base::Instant deadline);

}  // namespace twinkle::internal
