// A spawner, wardens and processes as they are. Numbers are those of the invariants in spawner_loop.h.
#include "worker/spawner.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/folder.h"
#include "worker/processes.h"
#include "worker/rank_cgroups.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr rlim_t kOpenFiles = 123;

bool IsThere(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  if (!std::getline(file, text)) return false;
  return text[text.rfind(')') + 2] != 'Z';
}

pid_t ParentOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string word; file >> word;) {
    if (word == "PPid:" && file >> pid) return pid;
  }
  return 0;
}

// A shell command as a process; what it prints can be read.
struct Shell {
  std::string output;
  base::Fd reading;
  base::Fd role;  // our end
  pid_t pid = 0;
  bool started = false;
  bool over = false;
  bool cleared = false;
  int status = -1;
  std::string why;
};

// Real processes, and what became of them.
struct SpawnerNode : Processes::Listener {
  explicit SpawnerNode(const std::string& cgroup = "")
      : SpawnerNode(*StartSpawner({rlimit{kOpenFiles, kOpenFiles}, cgroup})) {}
  explicit SpawnerNode(Spawner spawner)
      : spawner_pid(spawner.pid), processes({}, std::move(spawner), &loop, &timers, this) {}
  ~SpawnerNode() override { processes.EndSpawner(); }

  Shell& Start(const std::string& command, Launch launch = {}, const std::string& executable = "/bin/sh") {
    const uint64_t key = shells.size() + 1;
    Shell& shell = shells[key];
    auto made = std::make_shared<Launch>(std::move(launch));
    processes.Start(key, [this, made, key, command, executable]() -> absl::StatusOr<Launch> {
      std::array<int, 2> pipe{};
      REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
      ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
      shells[key].reading = base::Fd(pipe[0]);
      auto role = rpc::SocketPair();
      shells[key].role = std::move(role->first);
      if (made->arguments.empty()) made->arguments = {executable, "-c", command};
      if (!made->executable.valid()) made->executable = base::Fd(::open(executable.c_str(), O_RDONLY | O_CLOEXEC));
      made->role = std::move(role->second);
      made->output = base::Fd(pipe[1]);
      made->error = base::Fd(::fcntl(pipe[1], F_DUPFD_CLOEXEC, 0));
      return std::move(*made);
    });
    return shell;
  }
  void Read(Shell& shell) const {
    std::array<char, 4096> chunk{};
    ssize_t got = 0;
    while ((got = ::read(shell.reading.get(), chunk.data(), chunk.size())) > 0) {
      shell.output.append(chunk.data(), static_cast<size_t>(got));
    }
  }
  // Runs the loop until the last step's condition has held after those before it; each is asked again and again.
  // `then` runs when a condition holds first.
  struct Step {
    std::function<bool()> holds;
    std::function<void()> then;
  };
  bool Run(std::vector<Step> to_do) {
    steps = std::move(to_do);
    loop.PostAfter(absl::Seconds(100), [this] { loop.Stop(); });
    Look();
    loop.Run();
    return next == steps.size();
  }
  void Look() {
    for (auto& [key, shell] : shells) Read(shell);
    while (next < steps.size() && steps[next].holds()) {
      if (steps[next].then) steps[next].then();
      ++next;
    }
    if (next == steps.size()) return loop.Stop();
    loop.PostAfter(absl::Milliseconds(2), [this] { Look(); });
  }
  void OnStarted(uint64_t key, pid_t pid) override {
    shells[key].started = true;
    shells[key].pid = pid;
  }
  void OnNotStarted(uint64_t key, const std::string& why) override {
    shells[key].over = true;
    shells[key].why = why;
  }
  void OnEnded(uint64_t key, int status) override {
    Read(shells[key]);
    shells[key].over = true;
    shells[key].status = status;
  }
  void OnCleared(uint64_t key) override { shells[key].cleared = true; }
  void OnSpawnerGone() override { gone = true; }

  base::FdLoop loop;
  AwakeTimers timers{[this](absl::Duration wait, base::Task task) { loop.PostAfter(wait, std::move(task)); },
                     &base::Now};
  const pid_t spawner_pid;
  std::map<uint64_t, Shell> shells;
  bool gone = false;
  std::vector<Step> steps;
  size_t next = 0;
  Processes processes;
};

// What `/proc/PID/status` says of a set of signals, in a shell's output.
uint64_t Signals(const std::string& output, const std::string& name) {
  for (const auto line : absl::StrSplit(output, '\n')) {
    if (absl::StartsWith(line, absl::StrCat(name, ":"))) {
      return std::strtoull(std::string(line.substr(name.size() + 1)).c_str(), nullptr, 16);
    }
  }
  FAIL("no " << name << " in " << output);
  return 0;
}

TEST_CASE("a process has what its launch says, and nothing else") {
  SpawnerNode node;
  Launch launch;
  launch.environment = {"NAME=value", "PATH=/usr/bin:/bin"};
  launch.directory = "/usr";
  Shell& shell =
      node.Start("echo $NAME; pwd; ls /proc/$$/fd; readlink /proc/$$/fd/0; ulimit -n; echo to-stderr >&2; exit 3",
                 std::move(launch));
  CHECK(node.Run({{[&] { return shell.over; }, {}}}));
  CHECK(shell.output == "value\n/usr\n0\n1\n2\n3\n/dev/null\n123\nto-stderr\n");
  CHECK(shell.started);
  CHECK(WEXITSTATUS(shell.status) == 3);
}

TEST_CASE("where few descriptors may be open the spawner serves, and ends, all the same") {
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
  rlimit few = usual;
  few.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  SpawnerNode node;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
  Shell& shell = node.Start("exit 3");
  CHECK(node.Run({{[&] { return shell.over; }, {}}}));
  CHECK(WEXITSTATUS(shell.status) == 3);
}

TEST_CASE("signals of a process are its launch's, whatever those of the daemon are") {
  for (const int number : {SIGCHLD, SIGINT, SIGPIPE, SIGUSR1}) ::signal(number, SIG_IGN);
  sigset_t usual;
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGINT, SIGTERM, SIGUSR2}) sigaddset(&blocked, number);
  ::sigprocmask(SIG_BLOCK, &blocked, &usual);
  SpawnerNode node;
  for (const int number : {SIGCHLD, SIGINT, SIGPIPE, SIGUSR1}) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &usual, nullptr);
  Launch plain;
  Launch other;
  for (Launch* launch : {&plain, &other}) launch->arguments = {"cat", "/proc/self/status"};
  other.ignored_signals = uint64_t{1} << (SIGHUP - 1);
  other.blocked_signals = uint64_t{1} << (SIGUSR2 - 1);
  Shell& first = node.Start("", std::move(plain), "/bin/cat");
  Shell& second = node.Start("", std::move(other), "/bin/cat");
  CHECK(node.Run({{[&] { return first.over && second.over; }, {}}}));
  CHECK(Signals(first.output, "SigIgn") == 0);
  CHECK(Signals(first.output, "SigBlk") == 0);
  CHECK(Signals(second.output, "SigIgn") == uint64_t{1} << (SIGHUP - 1));
  CHECK(Signals(second.output, "SigBlk") == uint64_t{1} << (SIGUSR2 - 1));
  CHECK(WEXITSTATUS(first.status) == 0);
}

TEST_CASE("what keeps a process from being the program is told in a sentence") {
  SpawnerNode node;
  Launch nowhere;
  nowhere.directory = "/nowhere/at/all";
  Shell& lost = node.Start("true", std::move(nowhere));
  Shell& folder = node.Start("true", {}, "/usr");
  Launch large;
  large.environment = {std::string(200 << 10, 'x')};
  Shell& heavy = node.Start("true", std::move(large));
  Shell& good = node.Start("true");
  CHECK(node.Run({{[&] { return lost.over && folder.over && heavy.over && good.over; }, {}}}));
  CHECK(lost.why == "its working directory /nowhere/at/all cannot be entered: No such file or directory");
  CHECK_THAT(folder.why, ContainsSubstring("the program cannot be executed: Permission denied"));
  CHECK_THAT(heavy.why, ContainsSubstring("the program cannot be executed: Argument list too long"));
  CHECK_FALSE((lost.started || folder.started || heavy.started));
  CHECK(good.status == 0);
}

TEST_CASE("a helper that has cut itself loose lives as long as its process, and no longer") {
  SpawnerNode node;
  Launch launch;
  launch.environment = {"PATH=/usr/bin:/bin"};
  // Of a session, a process group and an environment of its own, and no child of the process.
  Shell& shell = node.Start("(env -i setsid sleep 1000 & echo $!); exec sleep 1000", std::move(launch));
  pid_t helper = 0;
  Shell* other = nullptr;
  const auto said = [&] { return absl::StrContains(shell.output, "\n"); };
  CHECK(node.Run({{said,
                   [&] {
                     helper = std::atoi(shell.output.c_str());
                     other = &node.Start("true");
                   }},
                  {[&] { return other->over; },
                   [&] {
                     CHECK(IsThere(helper));
                     CHECK(ParentOf(helper) == ParentOf(shell.pid));  // the warden
                     node.processes.Signal(1, SIGTERM);
                   }},
                  {[&] { return shell.cleared; }, [&] { CHECK_FALSE(IsThere(helper)); }}}));
  CHECK(shell.over);
  CHECK(WTERMSIG(shell.status) == SIGTERM);
}

// A group that this user may change, where there is one.
std::string TestCgroup() {
  for (const char* const mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const std::string folder = absl::StrCat(mount, "/twinkle-test-", ::getpid());
    if (::access(absl::StrCat(mount, "/cgroup.procs").c_str(), W_OK) != 0) continue;
    if (::mkdir(folder.c_str(), 0755) == 0) return folder;
  }
  return DelegatedCgroup();
}

TEST_CASE("a process has a control group of its own, with all that it starts, which goes with it") {
  const std::string folder = TestCgroup();
  if (folder.empty()) {
    WARN("skipped: no control group can be made here");
    return;
  }
  {
    SpawnerNode node(folder);
    Launch launch;
    launch.environment = {"PATH=/usr/bin:/bin"};
    Shell& shell = node.Start(
        "(env -i setsid sleep 1000 & echo $!; grep ^0:: /proc/$!/cgroup); grep ^0:: /proc/$$/cgroup; exec sleep 1000",
        std::move(launch));
    Shell& other = node.Start("exec sleep 1000");
    std::vector<std::string> lines;
    const auto said = [&] {
      lines = absl::StrSplit(shell.output, '\n');
      return lines.size() > 3 && other.started;
    };
    CHECK(node.Run({{said,
                     [&] {
                       CHECK_THAT(lines[1], ContainsSubstring("/process-1"));
                       CHECK(lines[1] == lines[2]);
                       node.processes.Signal(1, SIGTERM);
                     }},
                    {[&] { return shell.cleared; },
                     [&] {
                       CHECK_FALSE(IsThere(std::atoi(lines[0].c_str())));
                       CHECK(IsThere(other.pid));
                     }}}));
    CHECK(WTERMSIG(shell.status) == SIGTERM);
  }
  CHECK(std::filesystem::is_directory(folder));
  for (const auto& entry : std::filesystem::directory_iterator(folder)) CHECK_FALSE(entry.is_directory());
  ::rmdir(folder.c_str());
}

TEST_CASE("an exec that hangs delays nobody, and can be ended (SL1)") {
  // As on storage that does not answer: the kernel waits until the holder of the lease gives it back.
  ::signal(SIGIO, SIG_IGN);
  const std::string file =
      (std::filesystem::temp_directory_path() / absl::StrCat("twinkle-lease-", ::getpid())).string();
  std::filesystem::copy_file("/bin/true", file);
  base::Fd executable(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  const base::Fd holder(::fcntl(executable.get(), F_DUPFD_CLOEXEC, 0));
  if (::fcntl(holder.get(), F_SETLEASE, F_WRLCK) != 0) {
    WARN("skipped: no lease can be had on " << file);
    std::filesystem::remove(file);
    return;
  }
  {
    SpawnerNode node;
    Launch launch;
    launch.executable = std::move(executable);
    Shell& hanging = node.Start("", std::move(launch));
    Shell& other = node.Start("true");
    CHECK(node.Run({{[&] { return other.over; },
                     [&] {
                       CHECK_FALSE(hanging.started);
                       CHECK_FALSE(hanging.over);
                       node.processes.Signal(1, SIGKILL);
                     }},
                    {[&] { return hanging.over; }, {}}}));
    CHECK(WTERMSIG(hanging.status) == SIGKILL);
    CHECK(other.status == 0);
  }
  ::fcntl(holder.get(), F_SETLEASE, F_UNLCK);
  std::filesystem::remove(file);
}

TEST_CASE("a process whose warden is killed ends, and is cleared when all that it has started has ended (SL3, SL4)") {
  const tests::Folder folder;
  const std::string& parent = folder.path();
  SpawnerNode node(parent);  // no control group: what is in it is made and removed all the same
  const std::string group = absl::StrCat(parent, "/twinkle-", node.spawner_pid, "/process-1");
  Launch launch;
  launch.environment = {"PATH=/usr/bin:/bin"};
  Shell& shell = node.Start("(env -i setsid sleep 1000 & echo $!); exec sleep 1000", std::move(launch));
  Shell& other = node.Start("exec sleep 1000");
  pid_t helper = 0;
  CHECK(node.Run({{[&] { return other.started && absl::StrContains(shell.output, "\n"); },
                   [&] {
                     helper = std::atoi(shell.output.c_str());
                     CHECK(std::filesystem::exists(group));
                     ::kill(ParentOf(shell.pid), SIGKILL);
                   }},
                  {[&] { return shell.cleared; },
                   [&] {
                     CHECK(shell.over);
                     CHECK_FALSE(IsThere(helper));
                     CHECK_FALSE(IsThere(shell.pid));
                     CHECK(IsThere(other.pid));
                     node.processes.Signal(2, SIGKILL);
                   }},
                  {[&] { return other.cleared; }, {}}}));
  CHECK(WTERMSIG(shell.status) == SIGKILL);
  CHECK_FALSE(std::filesystem::exists(group));
  node.processes.EndSpawner();
}

TEST_CASE("a folder that was forgotten is not removed with the daemon: its name may be another's") {
  const tests::Folder forgotten, kept;
  {
    SpawnerNode node;
    for (const tests::Folder* folder : {&forgotten, &kept}) node.processes.KeepScratch(folder->path());
    node.processes.ForgetScratch(forgotten.path());
    Shell& shell = node.Start("true");
    CHECK(node.Run({{[&] { return shell.cleared; }, {}}}));
  }
  CHECK(std::filesystem::exists(forgotten.path()));
  CHECK_FALSE(std::filesystem::exists(kept.path()));
}

TEST_CASE("nothing is left when the daemon is gone") {
  pid_t helper = 0;
  pid_t pid = 0;
  const tests::Folder folder;
  {
    SpawnerNode node;
    Launch launch;
    launch.environment = {"PATH=/usr/bin:/bin"};
    node.processes.KeepScratch(folder.path());
    Shell& shell = node.Start("(env -i setsid sleep 1000 & echo $!); exec sleep 1000", std::move(launch));
    CHECK(node.Run({{[&] { return absl::StrContains(shell.output, "\n"); }, {}}}));
    helper = std::atoi(shell.output.c_str());
    pid = shell.pid;
  }
  CHECK_FALSE(IsThere(helper));
  CHECK_FALSE(IsThere(pid));
  CHECK_FALSE(std::filesystem::exists(folder.path()));
}

TEST_CASE("a process may end at once, and hundreds may") {
  SpawnerNode node;
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i) node.Start("", {}, "/bin/true");
  const auto all_over = [&] {
    return std::all_of(node.shells.begin(), node.shells.end(), [](const auto& entry) { return entry.second.cleared; });
  };
  CHECK(node.Run({{all_over, {}}}));
  for (const auto& [key, shell] : node.shells) CHECK(shell.status == 0);
}

}  // namespace
}  // namespace twinkle::worker
