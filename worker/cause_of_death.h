// Why a process ended, in words.
#pragma once

#include <cstdint>
#include <string>

namespace twinkle::worker {

// "exited with code 3", "was killed by signal 9 (SIGKILL)", of a status as waitpid gives it.
std::string CauseOfDeath(int wait_status);

// The kernel's count of processes that it killed because memory ran out, on this machine. Not thread-safe.
class OomWatch {
 public:
  // `file`: in the format of /proc/vmstat.
  explicit OomWatch(std::string file = "/proc/vmstat") : file_(std::move(file)), seen_(Read()) {}

  // Whether it has risen since it was last asked, or since the beginning.
  bool Rose();

 private:
  uint64_t Read() const;

  const std::string file_;
  uint64_t seen_;
};

}  // namespace twinkle::worker
