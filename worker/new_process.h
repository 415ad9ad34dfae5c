// The last steps of a forked process before it executes the program.
#pragma once

#include <sys/resource.h>

#include <string>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd.h"

namespace twinkle::worker {

// The descriptor number under which a worker process finds its role's socket.
inline constexpr int kRoleDescriptor = 3;

// What a new process is given.
struct NewProcess {
  v1::Spawn spawn;
  std::vector<base::Fd> fds;  // executable, role, standard output, standard error
  rlimit open_files{};        // the process's limit of open files
  std::string cgroup;         // folder of the process's control group; empty: it stays in the spawner's
};

// The byte that a new process reports just before it calls exec.
inline constexpr char kAboutToExecute = 'x';

// Turns a process that was just forked by a single-threaded one into the program. It gets a process group of its own,
// SIGKILL when `parent` ends, /dev/null as standard input, the role's socket as kRoleDescriptor, and the rest of
// `process`; all other descriptors are closed. Then the executable is executed. Writes kAboutToExecute to `report` when
// only exec is left to do. If a step fails, writes a sentence that says which, and exits. A successful exec closes
// `report`.
[[noreturn]] void BecomeProgram(const NewProcess& process, int report, pid_t parent);

// The sentence for an error of fork; it names the resource that is used up.
std::string WhyNoProcess(int error);

}  // namespace twinkle::worker
