#include "worker/spawner.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "proto/twinkle/v1/local.pb.h"

namespace twinkle::worker {
namespace {

// Tells whose descendant a process is.
constexpr char kKeyVariable[] = "TWINKLE_SPAWN_KEY";

// One process that it started.
struct Child {
  uint64_t key = 0;
};

// ---- in the new process, before exec
[[noreturn]] void Fail(int report, const char* what) {
  const std::string text = absl::StrCat(what, ": ", std::strerror(errno));
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

// Descriptors of the message: executable, role, output, error.
[[noreturn]] void Become(const v1::Spawn& spawn, const std::vector<rpc::Fd>& fds, int report, pid_t spawner) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != spawner) ::_exit(127);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::vector<char*> arguments = Pointers(spawn.arguments());
  std::vector<char*> environment = Pointers(spawn.environment());
  std::string key = absl::StrCat(kKeyVariable, "=", spawn.key());
  environment.insert(environment.end() - 1, key.data());
  if (!spawn.directory().empty() && ::chdir(spawn.directory().c_str()) != 0) {
    Fail(report, absl::StrCat("its working directory ", spawn.directory(), " cannot be entered").c_str());
  }
  // First above the numbers that they are to have.
  std::array<int, 5> high{};
  const std::array<int, 5> from = {fds[0].get(), fds[1].get(), fds[2].get(), fds[3].get(), report};
  for (size_t i = 0; i < high.size(); ++i) high[i] = ::fcntl(from[i], F_DUPFD_CLOEXEC, 10);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(high[2], 1);
  ::dup2(high[3], 2);
  ::dup2(high[1], kRoleDescriptor);
  ::syscall(SYS_close_range, kRoleDescriptor + 1, 9, 0);
  const int most = 1 + *std::max_element(high.begin(), high.end());
  ::syscall(SYS_close_range, most, ~0U, 0);
  ::fexecve(high[0], arguments.data(), environment.data());
  Fail(high[4], "the program cannot be executed");
}

// ---- the spawner
class Loop {
 public:
  explicit Loop(int socket) : socket_(socket), reader_(socket) {}

  [[noreturn]] void Run() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    const int signals = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    while (true) {
      std::array<pollfd, 2> waiting = {pollfd{socket_, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
      if (waiting[1].revents != 0) {
        signalfd_siginfo info{};
        while (::read(signals, &info, sizeof(info)) > 0) {
        }
        Reap();
      }
      if (waiting[0].revents != 0 && !ReadAll()) break;
    }
    EndAll();
    ::_exit(0);
  }

 private:
  // False when the daemon is gone.
  bool ReadAll() {
    while (true) {
      v1::ToSpawner message;
      const absl::StatusOr<bool> read = reader_.Next(&message);
      if (!read.ok()) return false;
      if (!*read) return true;
      if (message.has_spawn()) Spawn(message.spawn());
      if (message.has_signal()) Signal(message.signal());
      if (message.has_scratch()) scratch_.push_back(message.scratch().folder());
    }
  }

  void Spawn(const v1::Spawn& spawn) {
    const std::vector<rpc::Fd> fds = reader_.TakeFds(4);
    v1::FromSpawner answer;
    v1::Spawned& spawned = *answer.mutable_spawned();
    spawned.set_key(spawn.key());
    std::array<int, 2> report{};
    if (fds.size() != 4 || ::pipe2(report.data(), O_CLOEXEC) != 0) {
      spawned.set_failure("the spawner was asked for something that it does not know");
      return Send(answer);
    }
    const pid_t self = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) Become(spawn, fds, report[1], self);
    const int failed = errno;
    ::close(report[1]);
    const rpc::Fd reading(report[0]);
    if (pid < 0) {
      spawned.set_failure(absl::StrCat("no process could be started: ", std::strerror(failed)));
      return Send(answer);
    }
    children_[pid] = {spawn.key()};
    std::array<char, 512> text{};
    ssize_t got = 0;
    do {
      got = ::read(reading.get(), text.data(), text.size());  // ends when the process has become the program
    } while (got < 0 && errno == EINTR);
    spawned.set_pid(pid);
    if (got > 0) spawned.set_failure(std::string(text.data(), static_cast<size_t>(got)));
    Send(answer);
  }

  void Signal(const v1::Signal& signal) {
    for (const auto& [pid, child] : children_) {
      if (child.key == signal.key()) ::kill(-pid, signal.number());
    }
  }

  // A process group outlives its leader's end only until the leader is reaped: its number is not used again before.
  void Reap() {
    siginfo_t info{};
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
      const pid_t pid = info.si_pid;
      const auto child = children_.find(pid);
      if (child != children_.end()) ::kill(-pid, SIGKILL);
      int status = 0;
      ::waitpid(pid, &status, 0);
      if (child != children_.end()) {
        v1::FromSpawner answer;
        answer.mutable_reaped()->set_key(child->second.key);
        answer.mutable_reaped()->set_status(status);
        children_.erase(child);
        Send(answer);
      }
      info = {};
    }
    EndOrphans();
  }

  // What was orphaned to the spawner by a process that is gone. When one of them ends, its own children are next.
  void EndOrphans() const {
    for (const pid_t pid : OwnChildren()) {
      if (children_.count(pid) != 0) continue;
      const uint64_t key = KeyOf(pid);
      const bool alive =
          std::any_of(children_.begin(), children_.end(), [&](const auto& entry) { return entry.second.key == key; });
      if (!alive) ::kill(pid, SIGKILL);
    }
  }

  // The worker process that a process descends from, by the environment that it inherited; 0: unknown.
  static uint64_t KeyOf(pid_t pid) {
    std::ifstream file(absl::StrCat("/proc/", pid, "/environ"), std::ios::binary);
    const std::string prefix = absl::StrCat(kKeyVariable, "=");
    for (std::string line; std::getline(file, line, '\0');) {
      uint64_t key = 0;
      if (absl::StartsWith(line, prefix) && absl::SimpleAtoi(line.substr(prefix.size()), &key)) return key;
    }
    return 0;
  }

  void Send(const v1::FromSpawner& message) { rpc::SendMessage(socket_, message).IgnoreError(); }

  // Those it started, their process groups, and what was orphaned to it.
  void EndAll() {
    for (const std::string& folder : scratch_) {
      std::error_code ignored;
      std::filesystem::remove_all(folder, ignored);
    }
    for (const auto& [pid, child] : children_) ::kill(-pid, SIGKILL);
    for (int round = 0; round < 1000; ++round) {
      for (const pid_t pid : OwnChildren()) ::kill(pid, SIGKILL);
      pid_t reaped = 0;
      while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      if (reaped < 0) return;  // no children are left
      ::usleep(1000);
    }
  }

  static std::vector<pid_t> OwnChildren() {
    std::vector<pid_t> pids;
    std::FILE* file = std::fopen(absl::StrCat("/proc/self/task/", ::getpid(), "/children").c_str(), "r");
    if (file == nullptr) return pids;
    int pid = 0;
    while (std::fscanf(file, "%d", &pid) == 1) pids.push_back(pid);
    std::fclose(file);
    return pids;
  }

  const int socket_;
  rpc::MessageReader reader_;
  std::map<pid_t, Child> children_;
  std::vector<std::string> scratch_;  // folders that go with the daemon
};

}  // namespace

absl::StatusOr<Spawner> StartSpawner() {
  auto sockets = rpc::SocketPair();
  if (!sockets.ok()) return sockets.status();
  const pid_t pid = ::fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "the spawner could not be started");
  if (pid > 0) return Spawner{pid, std::move(sockets->first)};
  ::setsid();  // signals from a terminal are the daemon's
  ::prctl(PR_SET_NAME, "twinkle-spawner");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  sockets->first.Reset();
  const int socket = ::fcntl(sockets->second.Release(), F_DUPFD_CLOEXEC, 64);
  ::syscall(SYS_close_range, 3, socket - 1, 0);  // nothing of the daemon's is kept open
  ::syscall(SYS_close_range, socket + 1, ~0U, 0);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  Loop(socket).Run();
}

}  // namespace twinkle::worker
