#include "worker/own_children.h"

#include <absl/strings/str_cat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace twinkle::worker {
namespace {

constexpr int kMostBusy = 10;  // times the rounds

}  // namespace

std::vector<pid_t> OwnChildren() {
  std::vector<pid_t> pids;
  std::ifstream file(absl::StrCat("/proc/self/task/", ::getpid(), "/children"));
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
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
