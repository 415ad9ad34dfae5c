#include "worker/warden.h"

#include <absl/strings/string_view.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "worker/own_children.h"
#include "worker/rank_cgroups.h"

namespace twinkle::worker {
namespace {

// Closes all descriptors but those in `kept` and the standard ones.
void CloseAllBut(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned int next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned int>(fd);
    if (number > next) ::syscall(SYS_close_range, next, number - 1, 0);
    next = std::max(next, number + 1);
  }
  ::syscall(SYS_close_range, next, ~0U, 0);
}

// Writes a word to the spawner.
void Tell(int pipe, WardenWord::Kind kind, int number, absl::string_view text = "") {
  WardenWord word;
  word.kind = kind;
  word.number = number;
  text.copy(word.text.data(), word.text.size() - 1);
  (void)!::write(pipe, &word, sizeof(word));
}

// Reads why the new process could not become the program; empty: it did. Blocks until one of the two is certain.
std::string ReadReport(int report) {
  std::string text;
  std::array<char, 256> chunk{};
  ssize_t got = 0;
  while ((got = ::read(report, chunk.data(), chunk.size())) > 0 || (got < 0 && errno == EINTR)) {
    if (got > 0) text.append(chunk.data(), static_cast<size_t>(got));
  }
  if (text.empty()) return "it was ended before it could become the program";
  return text.front() == kAboutToExecute ? text.substr(1) : text;
}

// The status as waitpid would give it.
int StatusOf(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return info.si_status << 8;
  return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

// Waits until the worker process has ended, and leaves its zombie. Reaps other children meanwhile. Returns the status.
int AwaitEnd(pid_t rank) {
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0) {
      if (errno == EINTR) continue;
      return SIGKILL;
    }
    if (info.si_pid == rank) return StatusOf(info);
    ::waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

// Kills all that descends from the worker process. Its children came to this process when it ended, and their children
// come as they end.
void EndRest(pid_t rank, const std::string& cgroup) {
  ::kill(-rank, SIGKILL);
  KillCgroup(cgroup);
  while (true) {
    std::vector<pid_t> children = OwnChildren();
    children.erase(std::remove(children.begin(), children.end(), rank), children.end());
    if (children.empty()) return;
    for (const pid_t pid : children) ::kill(pid, SIGKILL);
    for (const pid_t pid : children) ::waitpid(pid, nullptr, 0);
  }
}

}  // namespace

void RunWarden(const NewProcess& process, int tell, pid_t spawner) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != spawner) ::_exit(1);
  ::prctl(PR_SET_NAME, "twinkle-warden");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::vector<int> kept = {tell};
  for (const base::Fd& fd : process.fds) kept.push_back(fd.get());
  CloseAllBut(kept);
  std::array<int, 2> report{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) {
    Tell(tell, WardenWord::Kind::kNotStarted, 0, "no pipe could be made: open descriptors are used up (ulimit -n)");
    ::_exit(0);
  }
  const pid_t self = ::getpid();
  const pid_t rank = ::fork();
  if (rank == 0) BecomeProgram(process, report[1], self);
  if (rank < 0) {
    Tell(tell, WardenWord::Kind::kNotStarted, 0, WhyNoProcess(errno));
    ::_exit(0);
  }
  ::setpgid(rank, rank);  // both processes do it: from here on the group can be signalled
  Tell(tell, WardenWord::Kind::kForked, rank);
  CloseAllBut({tell, report[0]});
  const std::string failure = ReadReport(report[0]);
  CloseAllBut({tell});
  if (failure.empty()) {
    Tell(tell, WardenWord::Kind::kExecuted, rank);
  } else {
    Tell(tell, WardenWord::Kind::kNotStarted, 0, failure);
  }
  const int status = AwaitEnd(rank);
  if (failure.empty()) Tell(tell, WardenWord::Kind::kEnded, status);
  EndRest(rank, process.cgroup);
  RemoveCgroup(process.cgroup);
  ::_exit(0);
}

}  // namespace twinkle::worker
