// The control groups that limit a process.
#pragma once

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

namespace twinkle::base {

// The folders of the control groups in which a process may be limited by `controller` ("memory", "pids"): its own and
// all above it, of version 1 and 2, and of both beside each other. Some of the folders may not exist. `groups`: the
// process's /proc/PID/cgroup; `mount`: where the groups are, /sys/fs/cgroup. Blocks for a file that the kernel
// generates.
std::vector<std::string> CgroupFolders(const std::string& groups, const std::string& mount,
                                       absl::string_view controller);

// A control group that limits the number of its processes and threads.
struct PidsLimit {
  std::string folder;
  uint64_t most = 0;
  uint64_t in_use = 0;
};

// The control groups that limit this process's number of processes and threads.
std::vector<PidsLimit> PidsLimits();

}  // namespace twinkle::base
