// How many ranks the limits of this machine allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/doctor.h"

namespace twinkle::cli {

// The limits that the kernel reports. A limit without a value: there is none, or it is not known.
struct LimitFacts {
  using Limit = std::optional<uint64_t>;
  struct Group {
    std::string folder;
    Limit pids;
    uint64_t pids_in_use = 0;
  };
  uint64_t tasks_in_use = 0;  // processes and threads of the whole machine
  Limit pid_max = {};
  Limit threads_max = {};
  Limit processes = {};            // ulimit -u
  Limit open_files = {};           // ulimit -n
  Limit most_open_files = {};      // ulimit -Hn
  Limit maps = {};                 // memory mappings of one process
  std::vector<Group> groups = {};  // this process's control group, and those above it
};

// A line for each limit with about how many ranks it allows; for control groups, a line for the one that allows the
// fewest. Fewer than 1,000 ranks are a note, fewer than 8 are bad. A pure function.
std::vector<Finding> LimitFindings(const LimitFacts& facts);

// Reads the limits of this process and its machine. Blocks for files that the kernel generates.
LimitFacts ReadLimits();

}  // namespace twinkle::cli
