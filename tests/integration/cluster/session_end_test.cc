// How a session ends when its job does not end well: nobody waits longer than was said, and nothing that was lost ends
// with OK.
#include <absl/strings/match.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

// A rank that does not end as it should.
class Stubborn {
 public:
  void StayFor(int64_t seconds) {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));  // deaf to Cancelled()
  }
  void Die() { ::raise(SIGKILL); }
  void CrashAtExit(int rank) {
    if (Context().rank() == rank) std::atexit([] { ::raise(SIGSEGV); });
  }
};
TWINKLE_REMOTE_CLASS(Stubborn, (), (StayFor), (Die), (CrashAtExit))

// Looks after another component.
class Supervisor {
 public:
  // What becomes of the other, as this method's result or as its failure.
  std::string Report(const Remote<Stubborn>& other) { return Told(other.Die().Get()); }
  absl::Status Handle(const Remote<Stubborn>& other) { return other.Die().Get(); }
  void Ignore(const Remote<Stubborn>& other) { Must(WaitAny(std::vector{other.Die()}).status()); }
};
TWINKLE_REMOTE_CLASS(Supervisor, (), (Report, Collect::kFirst), (Handle), (Ignore))

InitializeOptions Short(std::vector<DeviceGroup> groups) {
  return {.mode = Mode::kCluster,
          .groups = std::move(groups),
          .finish_timeout = absl::Milliseconds(300),
          .abort_grace = absl::Milliseconds(300)};
}

// In the cluster, from this process.
Session On(const TestCluster& cluster, InitializeOptions options) {
  ::setenv("TWINKLE_TOKEN_FILE", cluster.token_file().c_str(), 1);
  options.driver = cluster.driver();
  return Begin(std::move(options));
}

template <class F>
absl::Duration Takes(F&& f) {
  const base::Instant begin = base::Now();
  f();
  return base::Now() - begin;
}

// ---- what was lost -------------------------------------------------------------------------------
TEST_CASE("a rank that dies while no call is under way is what Finish returns") {
  auto session = Begin(Short({Cpu("pool", 2)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto pids = Result(probe.Pid());
  ::kill(static_cast<pid_t>(pids[1]), SIGKILL);
  CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pids[0])); }));  // its group ends with it
  const absl::Status ended = session.Finish();
  CHECK(absl::IsAborted(ended));
  CHECK_THAT(Told(ended), ContainsSubstring("rank 1 of group 'pool' (") &&
                              ContainsSubstring("pid " + std::to_string(pids[1])) &&
                              ContainsSubstring("killed by signal 9 (SIGKILL)"));
}

TEST_CASE("a loss that a call has told of does not come again; what the program has ended is no loss") {
  auto session = Begin(Short({Cpu("pool", 2), Cpu("other", 1)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  auto other = Must(New<Probe>({.remote_group = "other"}));
  const auto pids = Result(probe.Pid());
  const auto others = Result(other.Pid());
  ::kill(static_cast<pid_t>(pids[1]), SIGKILL);
  CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pids[0])); }));
  CHECK(absl::IsAborted(probe.Pid().Get().status()));
  other.component().Kill();
  CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(others[0])); }));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a loss that a method has looked at does not come again; one that it ignored does") {
  auto session = Begin(Short({Cpu("pool", 2), Cpu("guard", 1)}));
  auto stubborn = Must(New<Stubborn>({.remote_group = "pool"}));
  auto supervisor = Must(New<Supervisor>({.remote_group = "guard"}));
  SECTION("it tells of it") {
    CHECK_THAT(Result(supervisor.Report(stubborn)), ContainsSubstring("ABORTED") && ContainsSubstring("signal 9"));
    CHECK(Told(session.Finish()) == "OK");
  }
  SECTION("it fails of it, and later calls are fine") {
    CHECK(absl::IsAborted(supervisor.Handle(stubborn).Get()));
    CHECK(Told(session.Finish()) == "OK");
  }
  SECTION("it goes away then") {
    Result(supervisor.Report(stubborn));
    supervisor.component().Kill();
    CHECK(Told(session.Finish()) == "OK");
  }
  SECTION("it ignores it") {
    Must(supervisor.Ignore(stubborn).Get());
    CHECK_THAT(Told(session.Finish()), ContainsSubstring("ABORTED") && ContainsSubstring("group 'pool'"));
  }
  SECTION("it ignores it, and the program looks") {
    Must(supervisor.Ignore(stubborn).Get());
    CHECK(absl::IsAborted(stubborn.StayFor(600).Get()));
    CHECK(Told(session.Finish()) == "OK");
  }
}

TEST_CASE("a job that a command has stopped did not end well") {
  const TestCluster cluster({{"a", {"--cpus", "4"}}});
  auto session = On(cluster, Short({Cpu("pool", 2)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto pids = Result(probe.Pid());
  cluster.Command({"stop", "1"});
  CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pids[0])); }));
  const absl::Status ended = session.Finish();
  CHECK(absl::IsCancelled(ended));
  CHECK_THAT(Told(ended), ContainsSubstring("job 1 was ended: it was stopped by a command"));
}

TEST_CASE("a driver that is lost is told as that") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  auto session = On(cluster, Short({Cpu("pool", 2)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto pids = Result(probe.Pid());
  cluster.driver_process().Signal(SIGKILL);
  CHECK(Eventually([&] { return !IsAlive(static_cast<pid_t>(pids[0])); }));
  const absl::Status ended = session.Finish();
  CHECK(absl::IsUnavailable(ended));
  CHECK_THAT(Told(ended), ContainsSubstring("the driver at " + cluster.driver() + " is gone"));
  CHECK_FALSE(absl::StrContains(ended.message(), "ocket closed"));
}

TEST_CASE("a crash in the exit handlers of a rank is told") {
  auto session = Begin(Short({Cpu("pool", 3)}));
  auto stubborn = Must(New<Stubborn>({.remote_group = "pool"}));
  Must(stubborn.CrashAtExit(1).Get());
  const absl::Status ended = session.Finish();
  CHECK(absl::IsAborted(ended));
  CHECK_THAT(Told(ended), ContainsSubstring("rank 1 of group 'pool' (") && ContainsSubstring("failed at its end: ") &&
                              ContainsSubstring("signal 11 (SIGSEGV)"));
}

// ---- how long it takes ---------------------------------------------------------------------------
TEST_CASE("a method that does not end costs finish_timeout and abort_grace") {
  auto session = Begin(Short({Cpu("pool", 2)}));
  auto stubborn = Must(New<Stubborn>({.remote_group = "pool"}));
  const auto call = stubborn.StayFor(100);
  Must(Must(New<Probe>({.remote_group = "pool"})).Pid().Get().status());
  absl::Status ended;
  CHECK(Takes([&] { ended = session.Finish(); }) < absl::Seconds(4));
  CHECK(absl::IsCancelled(ended));
}

TEST_CASE("a rank that is stopped costs its own answer; the others' failures are told all the same") {
  auto session = Begin(Short({Cpu("pool", 3)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto pids = Result(probe.Pid());
  ::kill(static_cast<pid_t>(pids[0]), SIGSTOP);
  absl::Status ended;
  CHECK(Takes([&] { ended = session.Finish(); }) < absl::Seconds(8));
  CHECK(absl::IsAborted(ended));
  CHECK_THAT(Told(ended), ContainsSubstring("rank 0 of group 'pool' (") && ContainsSubstring("failed at its end: "));
}

// ---- children ------------------------------------------------------------------------------------
TEST_CASE("a program may wait for all its children: the private cluster's services are none") {
  auto session = Begin(Short({Cpu("pool", 1)}));
  while (::wait(nullptr) > 0) {
  }
  CHECK(errno == ECHILD);
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  CHECK(Result(probe.Where()).size() == 1);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a forked child leaves the session to its parent, and does not hang") {
  auto session = Begin(Short({Cpu("pool", 1)}));
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto fetched = probe.Where();
  Must(fetched.Get().status());
  const auto large = probe.Numbers(100'000);
  Must(large.Wait(absl::Seconds(20)));
  const pid_t child = ::fork();
  if (child == 0) {
    int wrong = 0;
    const auto expect = [&](const absl::Status& status) { wrong += absl::IsFailedPrecondition(status) ? 0 : 1; };
    expect(large.Get().status());
    expect(probe.Where().Get().status());
    expect(Put(1).Get().status());
    expect(New<Probe>({.remote_group = "pool"}).status());
    expect(probe.component().Release());
    expect(Initialize(0, nullptr, {.mode = Mode::kLocal}).status());
    wrong += fetched.Get().ok() ? 0 : 1;
    { const auto gone = std::move(probe); }
    { const auto ended = std::move(session); }  // its destructor
    ::_exit(wrong);
  }
  int code = 0;
  REQUIRE(::waitpid(child, &code, 0) == child);
  CHECK(code == 0);
  CHECK(Result(large).size() == 100'000);
  CHECK(Result(probe.Where()).size() == 1);
  CHECK(Told(session.Finish()) == "OK");
}

// ---- the start -----------------------------------------------------------------------------------
// This test's program of that name, from a shell that does this first.
std::string Shell(const std::string& first, const std::string& program, const std::string& after = "") {
  return first + " exec " + std::filesystem::read_symlink("/proc/self/exe").string() + " --program " + program + after;
}

TEST_CASE("ranks begin in the folder and the environment in which the program began, and main goes on from there") {
  const Folder folder;
  std::filesystem::create_directories(folder / "sub/sub");
  Child moved({"/bin/sh", "-c", Shell("cd " + (folder / "") + " &&", "moved")}, {{"TWINKLE_TEST_PATH", "old"}});
  CHECK(moved.Wait() == 0);
  INFO(moved.Output());
  CHECK_THAT(moved.Output(), ContainsSubstring("rank in " + (folder / "sub") + "\n"));
  CHECK_THAT(moved.Output(), ContainsSubstring("rank with new:old\n"));
}

TEST_CASE("a program that is started with its standard descriptors closed prints into nothing of the library's") {
  Child closed({"/bin/sh", "-c", Shell("", "closed", " <&- >&- 2>&-")});
  CHECK(closed.Wait() == 0);
}

}  // namespace
}  // namespace twinkle::tests
