#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "client/cli/rank_limits.h"
#include "runtime/base/cgroups.h"

namespace twinkle::cli {
namespace {

LimitFacts::Limit NumberIn(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;  // also for "max"
  return number;
}

LimitFacts::Limit Known(rlim_t limit) {
  if (limit == RLIM_INFINITY) return std::nullopt;
  return limit;
}

// The number of processes and threads: the second number of "1/234" in /proc/loadavg, after three averages.
uint64_t TasksInUse() {
  std::ifstream file("/proc/loadavg");
  double average = 0;
  uint64_t running = 0;
  uint64_t all = 0;
  char slash = 0;
  file >> average >> average >> average >> running >> slash >> all;
  return all;
}

std::vector<LimitFacts::Group> Groups() {
  std::vector<LimitFacts::Group> groups;
  for (base::PidsLimit& limit : base::PidsLimits()) {
    groups.push_back({std::move(limit.folder), limit.most, limit.in_use});
  }
  return groups;
}

}  // namespace

LimitFacts ReadLimits() {
  LimitFacts facts;
  facts.tasks_in_use = TasksInUse();
  facts.pid_max = NumberIn("/proc/sys/kernel/pid_max");
  facts.threads_max = NumberIn("/proc/sys/kernel/threads-max");
  facts.maps = NumberIn("/proc/sys/vm/max_map_count");
  rlimit limit{};
  // The limit does not apply to root.
  if (::getrlimit(RLIMIT_NPROC, &limit) == 0 && ::geteuid() != 0) facts.processes = Known(limit.rlim_cur);
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    facts.open_files = Known(limit.rlim_cur);
    facts.most_open_files = Known(limit.rlim_max);
  }
  facts.groups = Groups();
  return facts;
}

}  // namespace twinkle::cli
