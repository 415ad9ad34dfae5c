// What a node's machinery does for its processes: how they begin, what they leave behind, how many there may be.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/session.h"

namespace twinkle::tests {

class Surroundings {
 public:
  int64_t Pid() { return ::getpid(); }
  // A set of signals, by its name in /proc/self/status, less the two that are the C library's own.
  uint64_t Signals(const std::string& name) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
      if (word == name + ":" && file >> word) return std::stoull(word, nullptr, 16) & ~(uint64_t{3} << 31);
    }
    return ~uint64_t{0};
  }
  // How a child ends that is asked to.
  int64_t EndOfChild() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      while (true) ::pause();
    }
    ::kill(pid, SIGTERM);
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid ? status : -1;
  }
  // The child returns, too.
  int64_t Fork() { return ::fork(); }
  void Print(const std::string& text) { std::puts(text.c_str()); }
  // Of a session and an environment of its own, and no child of the rank's.
  int64_t StartHelper() {
    std::FILE* shell = ::popen("(env -i setsid sleep 1000 >/dev/null 2>&1 & echo $!)", "r");
    int pid = 0;
    if (std::fscanf(shell, "%d", &pid) != 1) pid = 0;
    ::pclose(shell);
    return pid;
  }
  // Each the child of the one before, of a session of its own, and deaf to SIGTERM: who ends them meets the next one
  // when the one before has ended.
  std::vector<int64_t> StartChain(int count) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {};
    if (::fork() == 0) Link(pipe[1], count);
    std::vector<int64_t> pids(static_cast<size_t>(count));
    for (int64_t& pid : pids) {
      if (::read(pipe[0], &pid, sizeof(pid)) != sizeof(pid)) return {};
    }
    for (const int end : pipe) ::close(end);
    return pids;
  }

 private:
  [[noreturn]] static void Link(int tell, int left) {
    ::signal(SIGTERM, SIG_IGN);
    do {
      ::setsid();
      const int64_t pid = ::getpid();
      (void)!::write(tell, &pid, sizeof(pid));
    } while (--left > 0 && ::fork() == 0);
    while (true) ::pause();
  }
};
TWINKLE_REMOTE_CLASS(Surroundings, (), (Pid), (Signals, Dispatch::kAll), (EndOfChild), (Fork), (Print), (StartHelper),
                     (StartChain, Dispatch::kAll, Collect::kFirst))

namespace {

using Catch::Matchers::ContainsSubstring;

Session Begun(std::vector<DeviceGroup> groups) { return Begin({.mode = Mode::kCluster, .groups = std::move(groups)}); }

// This test program, with those words before it and its arguments.
std::unique_ptr<Child> Itself(std::vector<std::string> before, const std::string& test_case) {
  before.push_back(std::filesystem::read_symlink("/proc/self/exe").string());
  before.push_back(test_case);
  return std::make_unique<Child>(before);
}

// As this process began: the tests' runner has handlers of its own while it runs.
const std::map<std::string, uint64_t> at_start = {{"SigIgn", Surroundings().Signals("SigIgn")},
                                                  {"SigBlk", Surroundings().Signals("SigBlk")}};

TEST_CASE("ranks with the signals of their program", "[.]") {
  auto session = Begun({Cpu("pool", 2)});
  auto ranks = Must(New<Surroundings>({.remote_group = "pool"}));
  for (const auto& [name, signals] : at_start) {
    CAPTURE(name);
    CHECK(Result(ranks.Signals(name)) == std::vector<uint64_t>(2, signals));
  }
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a rank begins with the signals that its program began with, and every end is seen") {
  for (const std::string option : {"--ignore-signal=CHLD", "--ignore-signal=INT,PIPE", "--block-signal=USR1"}) {
    CAPTURE(option);
    const auto begin = std::chrono::steady_clock::now();
    const auto program = Itself({"/usr/bin/env", option}, "ranks with the signals of their program");
    const int code = program->Wait();
    INFO(program->Output());
    CHECK(code == 0);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));  // of which an unseen end takes 36
  }
}

TEST_CASE("what a rank starts can be ended as usual") {
  auto session = Begun({Cpu("pool", 1)});
  auto rank = Must(New<Surroundings>({.remote_group = "pool"}));
  CHECK(Result(rank.EndOfChild()) == std::vector<int64_t>{SIGTERM});
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a rank whose child returns", "[.]") {
  auto session = Begun({Cpu("pool", 1)});
  auto rank = Must(New<Surroundings>({.remote_group = "pool"}));
  const auto child = static_cast<pid_t>(Result(rank.Fork()).at(0));
  CHECK(Eventually([&] { return !IsAlive(child); }));
  CHECK(Result(rank.Pid()).at(0) != child);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a child that a method forked, and that returns from it, is ended there, and its rank goes on") {
  const auto program = Itself({"/usr/bin/env"}, "a rank whose child returns");
  const int code = program->Wait();
  INFO(program->Output());
  CHECK(code == 0);
  CHECK_THAT(program->Output(), ContainsSubstring("a child that Surroundings.Fork has forked returned from it"));
}

TEST_CASE("a rank that prints", "[.]") {
  auto session = Begun({Cpu("pool", 2)});
  auto ranks = Must(New<Surroundings>({.remote_group = "pool"}));
  for (int i = 0; i < 10; ++i) Must(ranks.Print("a line").Get());
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("where a program's output cannot be written, one line says that what ranks print is lost") {
  const auto program = Itself({"/bin/sh", "-c", "exec \"$0\" \"$1\" >/dev/full"}, "a rank that prints");
  const int code = program->Wait();
  const std::string output = program->Output();
  INFO(output);
  CHECK(code == 0);
  constexpr char kLine[] =
      "what worker processes print is lost while it cannot be written to this program's standard "
      "output: No space left on device";
  CHECK_THAT(output, ContainsSubstring(kLine));
  CHECK(output.find(kLine) == output.rfind(kLine));
}

TEST_CASE("a helper that has cut itself loose lives as long as its rank, and no longer") {
  auto session = Begun({Cpu("pool", 1), Cpu("other", 1)});
  auto rank = Must(New<Surroundings>({.remote_group = "pool"}));
  auto other = Must(New<Surroundings>({.remote_group = "other"}));
  const auto helper = static_cast<pid_t>(Result(rank.StartHelper()).at(0));
  const auto pid = static_cast<pid_t>(Result(rank.Pid()).at(0));
  const auto gone = static_cast<pid_t>(Result(other.Pid()).at(0));
  other.component().Kill();
  CHECK(Eventually([&] { return !IsAlive(gone); }));
  CHECK(IsAlive(helper));
  rank.component().Kill();
  CHECK(Eventually([&] { return !IsAlive(pid) && !IsAlive(helper); }));
  session.Finish().IgnoreError();
}

TEST_CASE("a job is over when all that its ranks have started is, however long that takes") {
  TestCluster cluster({{"a", {"--cpus", "1"}}});
  ::setenv("TWINKLE_TOKEN_FILE", cluster.token_file().c_str(), 1);
  auto session = Begin({.mode = Mode::kCluster, .driver = cluster.driver(), .groups = {Cpu("pool", 1)}});
  auto rank = Must(New<Surroundings>({.remote_group = "pool"}));
  const std::vector<int64_t> helpers = Result(rank.StartChain(50));
  REQUIRE(helpers.size() == 50);
  CHECK(IsAlive(static_cast<pid_t>(helpers.back())));
  CHECK(Told(session.Finish()) == "OK");
  CHECK(std::none_of(helpers.begin(), helpers.end(), [](int64_t pid) { return IsAlive(static_cast<pid_t>(pid)); }));
}

void RunMany(int count) {
  auto session = Begun({Cpu("pool", count)});
  auto ranks = Must(New<Surroundings>({.remote_group = "pool"}));
  const std::vector<int64_t> pids = Result(ranks.Pid());
  CHECK(std::set<int64_t>(pids.begin(), pids.end()).size() == static_cast<size_t>(count));
  CHECK(Told(session.Finish()) == "OK");
  // A session's end waits for its cluster's for some seconds only, which a thousand may take longer than.
  CHECK(Eventually([&] {
    return std::none_of(pids.begin(), pids.end(), [](int64_t pid) { return IsAlive(static_cast<pid_t>(pid)); });
  }));
}

TEST_CASE("200 ranks on a node start, work and end") { RunMany(200); }
TEST_CASE("500 ranks on a node start, work and end", "[.][many]") { RunMany(500); }
TEST_CASE("1000 ranks on a node start, work and end", "[.][many]") { RunMany(1000); }

}  // namespace
}  // namespace twinkle::tests
