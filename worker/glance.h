// What one look at a process sees: whether it is stopped, and by whom.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twinkle::worker {

struct Glance {
  bool stopped = false;       // by a signal, or in the hands of a debugger
  bool traced = false;        // somebody has attached to it: a debugger
  pid_t tracer = 0;           // 0: none, or of another PID namespace
  uint64_t times_paused = 0;  // of all its threads together: while it is stopped this stays as it is
};

// Nothing: the process has ended, or the kernel does not tell of it now; whether it goes on is not known then. Reads
// `proc`, which is where the kernel tells of this PID namespace: one file of a process that goes on, and of one whose
// first thread is stopped one more, and one for each thread.
std::optional<Glance> GlanceAt(pid_t pid, const std::string& proc = "/proc");

// Whether the process goes on: it has not ended, and the kernel is not taking it down, which takes seconds where it has
// device memory. False, too, where that cannot be told.
bool GoesOn(pid_t pid, const std::string& proc = "/proc");

// Whether `proc` tells of the processes of this one's PID namespace: then a pid means the same there and here.
bool TellsOfOwnPids(const std::string& proc = "/proc");

}  // namespace twinkle::worker
