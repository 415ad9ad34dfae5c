// Failures of processes, drivers and nodes.
#include <absl/strings/str_cat.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/cluster/provokers.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kLong = absl::Seconds(60);

class Crasher {
 public:
  void CrashAtExit() {
    std::atexit([] { ::raise(SIGSEGV); });
  }
  void Exec() { ::execl("/bin/sleep", "sleep", "1000", nullptr); }
};
TWINKLE_REMOTE_CLASS(Crasher, (), (CrashAtExit), (Exec))

// ---- on a private cluster ------------------------------------------------------------------------
struct OnPrivateCluster {
  explicit OnPrivateCluster(size_t object_memory_bytes = 0)
      : session(Begin({.groups = {Cpu("policy", 3), Cpu("data", 1)}, .object_memory_bytes = object_memory_bytes})),
        probe(Must(New<Probe>({.remote_group = "policy"}))),
        other(Must(New<Probe>({.remote_group = "data"}))) {}
  ~OnPrivateCluster() { session.Finish().IgnoreError(); }
  Session session;
  Remote<Probe> probe, other;
};

Statuses RankDied() {
  const OnPrivateCluster job;
  return {job.probe.KillSelf(2, SIGKILL).Wait(kLong)};
}

Statuses RankStopped() {
  ::setenv("TWINKLE_STOPPED_LIMIT", "1", 1);
  const OnPrivateCluster job;
  ::unsetenv("TWINKLE_STOPPED_LIMIT");
  ::kill(static_cast<pid_t>(Result(job.probe.Pid()).at(2)), SIGSTOP);
  absl::Status told;
  while (told.ok()) told = job.probe.Pid().Wait(kLong);  // it may answer one more
  return {told};
}

// That it is killed ends the session at once, not after its grace.
Statuses RankLeft() {
  OnPrivateCluster job;
  auto crasher = Must(New<Crasher>({.remote_group = "policy"}));
  const absl::Status told = crasher.Rank(1).Exec().Wait(kLong);
  const absl::Time begun = absl::Now();
  job.session.Finish().IgnoreError();
  CHECK(absl::Now() - begun < absl::Seconds(25));
  return {told};
}

Statuses CrashAtExit() {
  OnPrivateCluster job;
  auto crasher = Must(New<Crasher>({.remote_group = "policy"}));
  Must(crasher.Rank(1).CrashAtExit().Get());
  return {job.session.Finish()};
}

Statuses OwnerDied() {
  const OnPrivateCluster job;
  const auto numbers = job.other.Numbers(100'000);
  Must(numbers.Wait(kLong));
  Must(absl::IsAborted(job.other.ExitSelf(0, 1).Wait(kLong)) ? absl::OkStatus() : absl::InternalError("it lives"));
  return {job.probe.Sum(numbers).Get().status(), numbers.Get().status()};
}

Statuses DidNotStart() {
  Child broken({"/proc/self/exe", "--program", "broken"});
  REQUIRE(broken.Wait() == 1);
  const std::string output = broken.Output();
  const std::string code = "ABORTED: ";
  const size_t begin = output.find(code);
  REQUIRE(begin != std::string::npos);
  return {absl::AbortedError(output.substr(begin + code.size()))};
}

Statuses NoRoomForObjects() {
  ::setenv("TWINKLE_SPILL_DIR", "/nowhere", 1);
  const OnPrivateCluster job(16 << 20);
  ::unsetenv("TWINKLE_SPILL_DIR");
  std::vector<Lazy<Tensor>> made;
  for (int i = 0; i < 4; ++i) {
    made.push_back(job.other.Ones(2 << 20));  // of 8 MiB
    if (absl::Status status = made.back().Wait(kLong); !status.ok()) return {status};
  }
  return {};
}

// ---- on a cluster --------------------------------------------------------------------------------
absl::StatusOr<Session> Submit(InitializeOptions options, const std::string& driver, const std::string& token_file) {
  ::setenv("TWINKLE_TOKEN_FILE", token_file.c_str(), 1);
  options.driver = driver;
  char name[] = "test";
  char* argv[] = {name, nullptr};
  absl::StatusOr<Session> session = Initialize(1, argv, std::move(options));
  ::unsetenv("TWINKLE_TOKEN_FILE");
  return session;
}
absl::StatusOr<Session> Submit(InitializeOptions options, const TestCluster& cluster) {
  return Submit(std::move(options), cluster.driver(), cluster.token_file());
}

// What calls come to, one under way and one that is made later, when this happens to their cluster; and what Finish
// returns to a program that has not looked at any.
Statuses After(const std::function<void(TestCluster&)>& event) {
  Statuses told;
  for (const bool looks : {true, false}) {
    TestCluster cluster({{"a", {"--cpus", "2"}}});
    auto session = Must(Submit({.groups = {Cpu("policy", 2)}}, cluster));
    auto probe = Must(New<Probe>({.remote_group = "policy"}));
    const auto pid = static_cast<pid_t>(Result(probe.Pid()).at(0));
    std::vector<Lazy<std::vector<int64_t>>> calls;
    if (looks) calls.push_back(probe.Sleep(100));
    event(cluster);
    REQUIRE(Eventually([&] { return !IsAlive(pid); }));
    if (looks) calls.push_back(probe.Pid());
    for (const auto& call : calls) told.push_back(call.Wait(kLong));
    absl::Status ended = session.Finish();
    if (!looks) told.push_back(ended);
  }
  return told;
}

Statuses JobStopped() {
  Statuses told = After([](TestCluster& cluster) { cluster.Command({"stop", "1"}); });
  for (auto& status : After([](TestCluster& cluster) { cluster.driver_process().Signal(SIGKILL); })) {
    told.push_back(std::move(status));
  }
  return told;
}

Statuses NeverFits() {
  const TestCluster cluster({{"a", {"--cpus", "4", "--devices", "cuda:4"}}});
  return {Submit({.groups = {Devices("policy", 8)}}, cluster).status()};
}

Statuses NoRoomNow() {
  const TestCluster cluster({{"a", {"--cpus", "4"}}});
  const Child sleeper({"/proc/self/exe", "--program", "sleeper"}, cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  return {Submit({.groups = {Cpu("policy", 4)}, .placement_timeout = absl::Milliseconds(100)}, cluster).status()};
}

Statuses NoName() {
  char* argv[] = {nullptr};
  return {Initialize(0, argv, {.groups = {Cpu("a/b", 1)}}).status()};
}

Statuses LargeDescription() {
  const TestCluster cluster({});
  std::vector<DeviceGroup> groups;
  for (int i = 10'000; i < 25'000; ++i) groups.push_back(Cpu(absl::StrCat(std::string(220, 'x'), i), 1));
  return {Submit({.groups = std::move(groups), .placement_timeout = absl::Seconds(1)}, cluster).status()};
}

Statuses NoJournal() {
  const Folder folder;
  const TestCluster cluster({{"a", {"--cpus", "4"}}}, {"--state-dir", folder / "state"});
  fs::remove_all(folder / "state");
  return {Submit({.groups = {Cpu("policy", 1)}}, cluster).status()};
}

Statuses BadTokens() {
  const TestCluster cluster({}), other({});
  const Folder folder;
  return {Submit({.groups = {Cpu("policy", 1)}}, cluster.driver(), other.token_file()).status(),
          Submit({.groups = {Cpu("policy", 1)}}, cluster.driver(), folder / "none").status()};
}

}  // namespace

Provokers ProvokersOnCluster() {
  return {
      {"a rank's process died", {RankDied}},
      {"a rank is stopped (a signal, a debugger) for longer than `--stopped-limit`", {RankStopped}},
      {"a method replaces its rank's program (`exec`), or closes descriptors that it had not opened", {RankLeft}},
      {"the job was stopped by a command; its driver is gone", {JobStopped}},
      {"a rank crashed, or was killed, in its exit handlers", {CrashAtExit}},
      {"owner of a result died", {OwnerDied}},
      {"a rank's process did not start", {DidNotStart}},
      {"objects take more memory than they may, and the disk takes no more",
       {NoRoomForObjects, {"cannot write to a file in /var/tmp: No space left on device"}}},
      {"the cluster can never fit the groups", {NeverFits}},
      {"it has no room now", {NoRoomNow}},
      {"a name that is none, or too long", {NoName}},
      {"the job's description is too large", {LargeDescription}},
      {"the driver's journal cannot be written", {NoJournal}},
      {"wrong token, none", {BadTokens}},
  };
}

}  // namespace twinkle::tests
