// The children of the calling process.
#pragma once

#include <sys/types.h>

#include <vector>

namespace twinkle::worker {

// The pids of all children: those that the main thread started, those that came to this process because it is their
// subreaper, and zombies. The pids are those of this process's PID namespace, even if /proc is of one around it. Empty:
// the kernel does not tell.
std::vector<pid_t> OwnChildren();

// Kills all children, and what becomes a child as they end, until none is left. Returns whether none is left. Gives up
// when none has ended in `rounds` rounds of a millisecond or more, or after ten times as many rounds: some processes
// start others as fast as they are killed. Blocks, and waits for the status of every child.
bool EndOwnChildren(int rounds);

}  // namespace twinkle::worker
