#include "worker/cause_of_death.h"

#include <absl/strings/str_cat.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <utility>

namespace twinkle::worker {

std::string CauseOfDeath(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    const char* name = ::sigabbrev_np(number);
    return absl::StrCat("was killed by signal ", number, name == nullptr ? "" : absl::StrCat(" (SIG", name, ")"),
                        WCOREDUMP(wait_status) ? ", core dumped" : "");
  }
  return absl::StrCat("exited with code ", WEXITSTATUS(wait_status));
}

bool OomWatch::Rose() {
  const uint64_t now = Read();
  return now > std::exchange(seen_, now);
}

uint64_t OomWatch::Read() const {
  std::ifstream file(file_);
  std::string name;
  uint64_t count = 0;
  while (file >> name >> count) {
    if (name == "oom_kill") return count;
  }
  return 0;
}

}  // namespace twinkle::worker
