// What control groups allow a process to take of memory.
#pragma once

#include <cstdint>
#include <string>

namespace twinkle::base {

// The least that any control group of a process allows, its own or one above that, in bytes; UINT64_MAX: none has a
// limit. `groups` is the process's /proc/PID/cgroup, `mount` is where the groups are: /sys/fs/cgroup. Both versions,
// also beside each other.
uint64_t MemoryLimit(const std::string& groups, const std::string& mount);

}  // namespace twinkle::base
