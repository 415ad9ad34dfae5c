// The cause of a process's end, as text.
#pragma once

#include <cstdint>
#include <string>

namespace twinkle::worker {

// The text for a status of waitpid: "exited with code 3", "was killed by signal 9 (SIGKILL)".
std::string CauseOfDeath(int wait_status);

// The kernel's count of processes on this machine that it killed because memory ran out. For one thread at a time.
class OomWatch {
 public:
  // `file`: a file in the format of /proc/vmstat.
  explicit OomWatch(std::string file = "/proc/vmstat") : file_(std::move(file)), seen_(Read()) {}

  // Whether the count has risen since the last call of Rose, or since construction.
  bool Rose();

 private:
  uint64_t Read() const;

  const std::string file_;
  uint64_t seen_;
};

}  // namespace twinkle::worker
