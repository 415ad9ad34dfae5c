// The children of the calling process.
#pragma once

#include <sys/types.h>

#include <vector>

namespace twinkle::worker {

// Those that its main thread started, and those that came to it because it is their subreaper; with those that have
// ended and were not waited for. By their numbers in this process's PID namespace, also where /proc is of one around
// it. Empty where the kernel does not tell.
std::vector<pid_t> OwnChildren();

// Kills all children, and what comes to this process as they end, until none is left. Gives up when none has ended in
// so many rounds, of a millisecond at least, or after ten times as many: some start others as fast as they are killed.
// Blocks. Takes the status of every child. Whether none is left.
bool EndOwnChildren(int rounds);

}  // namespace twinkle::worker
