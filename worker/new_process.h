// The last steps of a new process before it is another program.
#pragma once

#include <sys/resource.h>

#include <string>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd.h"

namespace twinkle::worker {

// Where a worker process finds its role's descriptor.
inline constexpr int kRoleDescriptor = 3;

// What it begins with.
struct NewProcess {
  v1::Spawn spawn;
  std::vector<base::Fd> fds;  // executable, role, output, error
  rlimit open_files{};        // its limit
  std::string cgroup;         // folder of its control group; empty: the spawner's
};

// Written before exec is tried.
inline constexpr char kAboutToExecute = 'x';

// For a process that was just forked by a single-threaded one: gives it a process group of its own, SIGKILL when
// `parent` ends, /dev/null as standard input, the role's descriptor as kRoleDescriptor, and what else it is to begin
// with; then executes the file, with nothing else open. Writes kAboutToExecute to `report` when only that is left, and
// a sentence where something fails, and exits then. Success closes `report`.
[[noreturn]] void BecomeProgram(const NewProcess& process, int report, pid_t parent);

// Why there is no new process, after fork has failed with that error: a sentence with the resource that is used up.
std::string WhyNoProcess(int error);

}  // namespace twinkle::worker
