// A warden stands between the spawner and one worker process: a single-threaded process that starts it, is the reaper
// of all that descends from it, and ends what is left of these when it has ended.
//
// Whose helper a process is cannot be read off the process itself: it may have a session, a process group and an
// environment of its own, and be no child of its rank any more. The kernel knows, though: what loses its parent becomes
// a child of its nearest ancestor that is a subreaper, which is the warden of the rank that it descends from, however
// it came to be. So a helper lives as long as its rank lives, and who kills all children of a warden until there are
// none has killed exactly what the rank had started. Where the rank has a control group of its own (rank_cgroups.h) all
// in it are killed at once before; with the same outcome.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "worker/new_process.h"

namespace twinkle::worker {

// What a warden tells the spawner, through a pipe that holds whole words. The same events, in the same order, as in
// FromSpawner.
struct WardenWord {
  enum class Kind : int32_t { kForked, kExecuted, kNotStarted, kEnded };
  Kind kind = Kind::kForked;
  int32_t number = 0;            // its pid; its status, as waitpid has it
  std::array<char, 500> text{};  // why it was not started
};
static_assert(sizeof(WardenWord) <= 512, "a pipe takes that much whole, whoever else writes");

// For a process that the spawner has just forked. Does not return. Tells of the worker process's end at once. Ends with
// 0 when nothing is left of that but itself, which it leaves to the spawner to wait for: until then its number is not
// given to another process. Is killed when the spawner ends, and the worker process with it.
[[noreturn]] void RunWarden(const NewProcess& process, int tell, pid_t spawner);

}  // namespace twinkle::worker
