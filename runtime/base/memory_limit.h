// The limit of a process's memory by its control groups.
#pragma once

#include <cstdint>
#include <string>

namespace twinkle::base {

// The lowest limit in bytes of a process's control group and all groups above it; UINT64_MAX: there is no limit.
// `groups`: the process's /proc/PID/cgroup; `mount`: where the groups are, /sys/fs/cgroup. Reads version 1 and 2, and
// both beside each other.
uint64_t MemoryLimit(const std::string& groups, const std::string& mount);

}  // namespace twinkle::base
