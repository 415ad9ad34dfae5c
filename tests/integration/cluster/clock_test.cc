// Clocks that are set while a job runs, and monotonic clocks that began at different times. The programs are hidden
// test cases of this binary, which the others start as processes of their own.
#include "runtime/base/clock.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr const char* kFolder = "TWINKLE_TEST_CLOCKS";  // a variable: where the files are that say what time it is
constexpr int64_t kStep = 3600;
constexpr auto kLimit = std::chrono::milliseconds(900);
constexpr absl::Duration kLong = absl::Seconds(20);  // for a busy machine, and far from a step

// For the processes that have this file, the wall clock is off by so many seconds from now on.
void SetClock(const std::string& file, int64_t seconds) {
  std::ofstream(file + ".new") << (seconds < 0 ? "" : "+") << seconds << "\n";
  std::filesystem::rename(file + ".new", file);
}

void SetClocks(const std::string& folder, int64_t step) {
  SetClock(folder + "/driver", step);
  SetClock(folder + "/node", -step);
  SetClock(folder + "/program", step);
}

class Clocked {
 public:
  int64_t Wall() { return std::time(nullptr); }
  int64_t Monotonic() { return base::Now().nanoseconds(); }
  // Sets all clocks, if there is a folder, and stays until its time is over.
  void StayPast(const std::string& folder, int64_t step) {
    if (!folder.empty()) SetClocks(folder, step);
    AwaitCancelled();
  }
};
TWINKLE_REMOTE_CLASS(Clocked, (), (Wall), (Monotonic), (StayPast, Timeout{kLimit}))

// ---- programs ----------------------------------------------------------------------------------
// A Wait and a Timeout last what they say, also when clocks are set meanwhile; what is large arrives.
void CheckWaits(const Remote<Clocked>& clocked, const std::string& folder, int64_t step) {
  const base::Instant begin = base::Now();
  const auto call = clocked.Rank(0).StayPast(folder, step);
  CHECK(absl::IsDeadlineExceeded(call.Wait(absl::Milliseconds(300))));
  CHECK(base::Now() - begin >= absl::Milliseconds(300));
  const absl::Status late = call.Get();
  INFO(late);
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK(base::Now() - begin >= absl::FromChrono(kLimit));
  CHECK(base::Now() - begin < kLong);
}

void CheckContents(const Remote<Probe>& probe) {
  const auto ones = probe.Ones(1 << 20);
  CHECK(Result(probe.Total(ones)) == std::vector<double>(2, 2.0 * (1 << 20)));
}

TEST_CASE("the program whose clocks are set", "[.][stepped]") {
  const std::string folder = std::getenv(kFolder);
  auto session = Begin(Mode::kCluster, {Cpu("pool", 2)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  auto clocked = Must(New<Clocked>({.remote_group = "pool"}));
  int64_t before = Result(clocked.Wall()).at(1);
  for (const int64_t step : {kStep, -kStep}) {
    CheckWaits(clocked, folder, step);
    CHECK(Result(probe.Sleep(1)).size() == 2);  // it is longer ago than the lease now
    CheckContents(probe);
    const int64_t after = Result(clocked.Wall()).at(1);
    CHECK(std::abs(after - before) >= kStep - 60);  // the clock was set, indeed
    before = after;
  }
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("the program that is left alone", "[.][plain]") {
  auto session = Begin(Mode::kCluster, {Cpu("pool", 2)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  CheckWaits(Must(New<Clocked>({.remote_group = "pool"})), "", 0);
  CheckContents(probe);
  CHECK(Told(session.Finish()) == "OK");
}

// ---- what the tests need -------------------------------------------------------------------------
std::vector<std::string> This(const std::string& tag) {
  return {std::filesystem::read_symlink("/proc/self/exe").string(), tag};
}

void CheckPassed(Child& program) {
  const int code = program.Wait();
  INFO(program.Output());
  CHECK(code == 0);
  CHECK_THAT(program.Output(), ContainsSubstring("All tests passed"));
}

// Variables of a process whose wall clock is set with that file; its monotonic clock stays as it is. So does the
// kernel's wall clock: who waits for a point of that, as gRPC's timers do, waits too long or not at all, which must
// harm nobody.
Environment WithClock(const std::string& library, const std::string& file) {
  SetClock(file, 0);
  return {{"LD_PRELOAD", library},
          {"FAKETIME_TIMESTAMP_FILE", file},
          {"FAKETIME_NO_CACHE", "1"},
          {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
}

// libfaketime for programs with threads; empty: it is not here, or services do not run with it, as with a sanitizer's
// library, which has to be the first.
std::string FakeClockLibrary(const std::string& file) {
#if defined(__SANITIZE_THREAD__)
  WARN("skipped: the thread sanitizer and libfaketime both stand between a program and its waits");
  return "";
#endif
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib")) {
    const std::filesystem::path library = entry.path() / "faketime/libfaketimeMT.so.1";
    std::error_code ignored;
    if (std::filesystem::exists(library, ignored)) found = library;
  }
  if (found.empty()) {
    WARN("skipped: there is no libfaketime (Debian's faketime)");
    return "";
  }
  Child tried({ServicePath("twinkle-worker"), "--version"}, WithClock(found, file));
  if (tried.Wait() == 0) return found;
  WARN("skipped: the services do not run with libfaketime: " << tried.Output());
  return "";
}

// Variables of this process, in a scope: what it starts has them.
class Inherited {
 public:
  explicit Inherited(Environment variables) : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Inherited() {
    for (const auto& [name, value] : variables_) ::unsetenv(name.c_str());
  }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;

 private:
  const Environment variables_;
};

Environment Together(Environment some, const Environment& others) {
  some.insert(others.begin(), others.end());
  return some;
}

bool Maps(const Child& process, const std::string& library) {
  std::ifstream maps(absl::StrCat("/proc/", process.pid(), "/maps"));
  for (std::string line; std::getline(maps, line);) {
    if (absl::StrContains(line, library)) return true;
  }
  return false;
}

// The words in a time namespace whose monotonic clock is more than a day ahead.
std::vector<std::string> Ahead(const std::vector<std::string>& words) {
  std::vector<std::string> all = {"/usr/bin/unshare", "--time", "--fork",     "--kill-child",
                                  "--monotonic",      "100000", "--boottime", "100000"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

bool TimeNamespacesWork() {
  if (!std::filesystem::exists("/usr/bin/unshare")) {
    WARN("skipped: there is no unshare");
    return false;
  }
  Child tried(Ahead({"/bin/true"}));
  if (tried.Wait() == 0) return true;
  WARN("skipped: time namespaces are refused here: " << tried.Output());
  return false;
}

// ---- clocks that are set -------------------------------------------------------------------------
TEST_CASE("clocks that are set, each another way, harm nobody: waits last what they say, and no node is lost") {
  const Folder clocks;
  const std::string library = FakeClockLibrary(clocks / "tried");
  if (library.empty()) return;
  std::unique_ptr<TestCluster> cluster;
  {
    const Inherited variables(WithClock(library, clocks / "driver"));
    cluster =
        std::make_unique<TestCluster>(std::vector<TestCluster::Node>{}, std::vector<std::string>{"--node-lease", "1"});
  }
  const Child node({ServicePath("twinkle-worker"), "--node-name", "a", "--cpus", "2"},
                   Together(cluster->environment(), WithClock(library, clocks / "node")));
  REQUIRE(node.AwaitOutput("has joined"));
  CHECK(Maps(cluster->driver_process(), "libfaketime"));
  CHECK(Maps(node, "libfaketime"));
  Environment variables = Together(cluster->environment(), WithClock(library, clocks / "program"));
  variables[kFolder] = clocks / ".";
  Child program(This("[stepped]"), variables);
  CheckPassed(program);
  INFO(node.Output() << cluster->driver_process().Output());
  CHECK_FALSE(absl::StrContains(cluster->driver_process().Output(), "nothing was heard"));
  CHECK_FALSE(absl::StrContains(node.Output(), "counts as gone"));
}

// ---- clocks that began at another time -------------------------------------------------------------
TEST_CASE("a program with its private cluster works in a time namespace") {
  if (!TimeNamespacesWork()) return;
  Child program(Ahead(This("[plain]")), {{"TWINKLE_DRIVER", ""}});
  CheckPassed(program);
}

TEST_CASE("a node works whose monotonic clock is ahead of the driver's and the program's") {
  if (!TimeNamespacesWork()) return;
  const TestCluster cluster({}, {"--node-lease", "1"});
  const Child node(Ahead({ServicePath("twinkle-worker"), "--node-name", "ahead", "--cpus", "2"}),
                   cluster.environment());
  REQUIRE(node.AwaitOutput("has joined"));
  const Inherited variables(cluster.environment());
  auto session = Begin(Mode::kCluster, {Cpu("pool", 2)});
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  auto clocked = Must(New<Clocked>({.remote_group = "pool"}));
  const base::Instant there = base::Instant::FromNanoseconds(Result(clocked.Monotonic()).at(0));
  CHECK(there - base::Now() > absl::Hours(24));
  CheckWaits(clocked, "", 0);
  CHECK(Result(probe.Sleep(2)).size() == 2);  // longer than the lease
  CheckContents(probe);
  CHECK(Told(session.Finish()) == "OK");
  CHECK_FALSE(absl::StrContains(node.Output(), "counts as gone"));
}

}  // namespace
}  // namespace twinkle::tests
