#include "worker/own_children.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace twinkle::worker {
namespace {

constexpr int kMostBusy = 10;  // times `rounds`, while some children still end

// The numbers of a process (NSpid): from that in the PID namespace of /proc to that in the process's own. One number:
// the two are the same.
std::vector<pid_t> NumbersOf(const std::string& process) {
  constexpr absl::string_view kName = "NSpid:";
  std::vector<pid_t> numbers;
  std::ifstream file(absl::StrCat("/proc/", process, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, kName)) continue;
    std::istringstream words(line.substr(kName.size()));
    for (pid_t pid = 0; words >> pid;) numbers.push_back(pid);
  }
  return numbers;
}

}  // namespace

std::vector<pid_t> OwnChildren() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  const std::string self = std::filesystem::read_symlink("/proc/self", ignored).string();
  const size_t depth = NumbersOf("self").size();
  std::ifstream file(absl::StrCat("/proc/self/task/", self, "/children"));
  for (pid_t pid = 0; file >> pid;) {
    if (depth <= 1) {
      pids.push_back(pid);
      continue;
    }
    const std::vector<pid_t> numbers = NumbersOf(absl::StrCat(pid));
    if (numbers.size() >= depth) pids.push_back(numbers[depth - 1]);
  }
  return pids;
}

bool EndOwnChildren(int rounds) {
  int idle = 0;
  for (int round = 0; idle < rounds && round < kMostBusy * rounds; ++round, ++idle) {
    for (const pid_t pid : OwnChildren()) ::kill(pid, SIGKILL);
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) idle = 0;
    if (reaped < 0) return true;
    ::usleep(1000);
  }
  return false;
}

}  // namespace twinkle::worker
