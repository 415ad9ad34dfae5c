// The children of the calling process.
#pragma once

#include <sys/types.h>

#include <vector>

namespace twinkle::worker {

// Those that its main thread started, and those that came to it because it is their subreaper; with those that have
// ended and were not waited for. Empty where the kernel does not tell.
std::vector<pid_t> OwnChildren();

// Kills all children, and what comes to this process as they end, until none is left or the rounds, of a millisecond at
// least, are over. Blocks. Takes the status of every child. Whether none is left.
bool EndOwnChildren(int rounds);

}  // namespace twinkle::worker
