// A single look at a process: whether it is stopped, and by what.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twinkle::worker {

// What a look at a process has found.
struct Glance {
  bool stopped = false;       // by a signal, or held by a debugger
  bool traced = false;        // a debugger is attached
  pid_t tracer = 0;           // the debugger; 0: none, or in another PID namespace
  uint64_t times_paused = 0;  // context switches of all threads together; constant while the process is stopped
};

// Looks at a process. Nothing: the process has ended, or the kernel does not report on it now, and whether it runs is
// not known. `proc`: where the kernel reports on this PID namespace. Reads one file of a running process; of one whose
// first thread is stopped one more, and one for each thread.
std::optional<Glance> GlanceAt(pid_t pid, const std::string& proc = "/proc");

// Whether a process still runs: it has not ended, and the kernel is not taking it down (which takes seconds for a
// process with device memory). False, too, if that cannot be read.
bool GoesOn(pid_t pid, const std::string& proc = "/proc");

// Whether `proc` reports on this process's PID namespace, so that a pid means the same process there and here.
bool TellsOfOwnPids(const std::string& proc = "/proc");

}  // namespace twinkle::worker
