#include "worker/new_process.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "worker/rank_cgroups.h"

namespace twinkle::worker {
namespace {

constexpr int kFirstHigh = 10;  // above all numbers that the program's descriptors get

[[noreturn]] void Fail(int report, const std::string& what, int error) {
  const std::string text = absl::StrCat(what, ": ", std::strerror(error));
  (void)!::write(report, text.data(), text.size());
  ::_exit(127);
}

std::vector<char*> Pointers(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(static_cast<size_t>(texts.size()) + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool Has(uint64_t signals, int number) { return (signals >> (number - 1) & 1) != 0; }

// Sets the signals' dispositions to those in `ignored`; all others to the default, whatever the parents had.
void SetDispositions(uint64_t ignored) {
  for (int number = 1; number < NSIG && number <= 64; ++number) {
    struct sigaction action {};
    action.sa_handler = Has(ignored, number) ? SIG_IGN : SIG_DFL;
    ::sigaction(number, &action, nullptr);  // fails for signals whose disposition nobody may change
  }
}

void SetMask(uint64_t blocked) {
  sigset_t mask;
  sigemptyset(&mask);
  for (int number = 1; number < NSIG && number <= 64; ++number) {
    if (Has(blocked, number)) sigaddset(&mask, number);
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

// Gives the program's descriptors their numbers. Returns where the executable and the report are then.
std::pair<int, int> ArrangeDescriptors(const std::vector<base::Fd>& fds, int report) {
  // First moves all of them above the numbers that they will get.
  std::array<int, 5> high{};
  const std::array<int, 5> from = {fds[0].get(), fds[1].get(), fds[2].get(), fds[3].get(), report};
  for (size_t i = 0; i < high.size(); ++i) {
    high[i] = ::fcntl(from[i], F_DUPFD_CLOEXEC, kFirstHigh);
    if (high[i] < 0) Fail(report, "its descriptors cannot be put in order", errno);
  }
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const std::array<int, 4> order = {null, high[2], high[3], high[1]};
  for (int to = 0; to <= kRoleDescriptor; ++to) {
    const int it = order[static_cast<size_t>(to)];
    if (it == to) {
      ::fcntl(to, F_SETFD, 0);
    } else if (::dup2(it, to) < 0) {
      Fail(high[4], "its descriptors cannot be put in order", errno);
    }
  }
  return {high[0], high[4]};
}

// The number in the first line of a file; nothing: there is none.
std::optional<uint64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

}  // namespace

void BecomeProgram(const NewProcess& process, int report, pid_t parent) {
  const v1::Spawn& spawn = process.spawn;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  EnterCgroup(process.cgroup);
  SetDispositions(spawn.ignored_signals());
  const auto [executable, said] = ArrangeDescriptors(process.fds, report);
  ::setrlimit(RLIMIT_NOFILE, &process.open_files);
  const std::vector<char*> arguments = Pointers(spawn.arguments());
  const std::vector<char*> environment = Pointers(spawn.environment());
  if (!spawn.directory().empty() && ::chdir(spawn.directory().c_str()) != 0) {
    Fail(said, absl::StrCat("its working directory ", spawn.directory(), " cannot be entered"), errno);
  }
  SetMask(spawn.blocked_signals());
  (void)!::write(said, &kAboutToExecute, 1);
  ::fexecve(executable, arguments.data(), environment.data());
  Fail(said, "the program cannot be executed", errno);
}

std::string WhyNoProcess(int error) {
  if (error != EAGAIN) return absl::StrCat("no process could be started: ", std::strerror(error));
  rlimit processes{};
  ::getrlimit(RLIMIT_NPROC, &processes);
  std::string limits = absl::StrCat(
      "ulimit -u ", processes.rlim_cur == RLIM_INFINITY ? std::string("unlimited") : absl::StrCat(processes.rlim_cur));
  for (const char* const name : {"pid_max", "threads-max"}) {
    if (const auto limit = NumberIn(absl::StrCat("/proc/sys/kernel/", name))) {
      absl::StrAppend(&limits, ", kernel.", name, " ", *limit);
    }
  }
  return absl::StrCat("no process could be started: there are as many processes and threads as may be (", limits,
                      ", or pids.max of the control group)");
}

}  // namespace twinkle::worker
