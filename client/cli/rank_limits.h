// How many ranks the limits of this machine allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/doctor.h"

namespace twinkle::cli {

// What the kernel says. Nothing: there is no limit, or it is not known.
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
  Limit maps = {};                 // of one process
  std::vector<Group> groups = {};  // the control groups above this process, and its own
};

// A line for each limit, with about how many ranks it allows; of the control groups, for the one that allows the
// fewest. A note where they are fewer than 1,000, bad where they are fewer than 8. Pure.
std::vector<Finding> LimitFindings(const LimitFacts& facts);

// Of this process and its machine. Blocks for files that the kernel makes up.
LimitFacts ReadLimits();

}  // namespace twinkle::cli
