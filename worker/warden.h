// The warden: a single-threaded process between the spawner and one worker process. It starts the worker process, is
// the reaper of all its descendants, and ends those that are left when the worker process has ended.
//
// To which rank a helper process belongs cannot be read off the helper: it may have a session, a process group and an
// environment of its own, and no longer be a child of its rank. The kernel knows, though. A process that loses its
// parent becomes a child of its nearest ancestor that is a subreaper, and that is the warden of the rank from which it
// descends. So a helper lives at most as long as its rank, and killing all children of a warden until none is left
// kills exactly what the rank had started. If the rank has a control group (rank_cgroups.h), all processes in it are
// killed at once before that; the outcome is the same.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "worker/new_process.h"

namespace twinkle::worker {

// A message of the warden to the spawner, of a fixed size, through a pipe. The events and their order are those of
// FromSpawner.
struct WardenWord {
  enum class Kind : int32_t { kForked, kExecuted, kNotStarted, kEnded };
  Kind kind = Kind::kForked;
  int32_t number = 0;            // the pid (kForked, kExecuted) or waitpid's status (kEnded)
  std::array<char, 500> text{};  // why it was not started
};
static_assert(sizeof(WardenWord) <= 512, "a pipe takes that much whole, whoever else writes");

// Runs a warden in a process that the spawner has just forked. Reports to the pipe `tell` at once when the worker
// process ends. Exits with 0 when nothing of the worker process is left but its zombie. The spawner waits for that, so
// its number is not given to another process before. The warden is killed when the spawner ends, and the worker process
// with it.
[[noreturn]] void RunWarden(const NewProcess& process, int tell, pid_t spawner);

}  // namespace twinkle::worker
