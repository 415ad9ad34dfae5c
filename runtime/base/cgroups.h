// Which control groups bound a process.
#pragma once

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

namespace twinkle::base {

// The folders of a process's control groups that this controller ("memory", "pids") may be limited in: its own and all
// above, of both versions, also beside each other; some may not be there. `groups` is the process's /proc/PID/cgroup,
// `mount` is where the groups are: /sys/fs/cgroup. Blocks for a file that the kernel makes up.
std::vector<std::string> CgroupFolders(const std::string& groups, const std::string& mount,
                                       absl::string_view controller);

// A control group that bounds how many processes and threads are in it.
struct PidsLimit {
  std::string folder;
  uint64_t most = 0;
  uint64_t in_use = 0;
};

// Those that bound this process.
std::vector<PidsLimit> PidsLimits();

}  // namespace twinkle::base
