// Services and ranks that are stopped for a while, as by a debugger or a machine that is suspended.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <signal.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

// A lease that is watched running out: that of a node which is stopped, by a driver that is not.
class Lease {
 public:
  explicit Lease(const std::string& seconds) : cluster_({{"stopped", {"--cpus", "1"}}}, {"--node-lease", seconds}) {}

  // Blocks for as long as it lasts.
  void AwaitEnd() {
    cluster_.node(0).Signal(SIGSTOP);
    CHECK(cluster_.driver_process().AwaitOutput(" is gone"));
    cluster_.node(0).Signal(SIGCONT);
  }

 private:
  TestCluster cluster_;
};

// Nodes are numbered as they come: two that start together in any order.
std::string IsGone(const std::string& driver_output, const std::string& name) {
  const size_t joined = driver_output.find(absl::StrCat(" '", name, "' has joined"));
  const size_t node = driver_output.rfind("node ", joined);
  return absl::StrCat(driver_output.substr(node, joined - node), " is gone");
}

// Two nodes, and a program whose ranks are on the first.
class BusyCluster {
 public:
  BusyCluster() { REQUIRE(sleeper_.AwaitOutput("SLEEPING")); }
  Child& driver() { return cluster_.driver_process(); }
  Child& node(size_t index) { return cluster_.node(index); }
  // That its lease ends, and that of no other.
  void CheckLossOfSecondNode() {
    const std::string before = driver().Output();
    CHECK(driver().AwaitOutput(IsGone(before, "b")));
    node(1).Signal(SIGCONT);
    INFO(sleeper_.Output());
    CHECK_THAT(cluster_.Command({"status"}), ContainsSubstring("running"));
    CHECK_FALSE(absl::StrContains(driver().Output(), IsGone(before, "a")));
    CHECK(IsAlive(sleeper_.pid()));
  }

 private:
  TestCluster cluster_{{{"a", {"--cpus", "4"}}, {"b", {"--cpus", "0"}}}, {"--node-lease", "0.7"}};
  Child sleeper_{Program({"sleeper"}), cluster_.environment()};
};

TEST_CASE("a pause of the driver alone, or of the services, longer than any lease, harms nobody") {
  Lease longer("1");
  BusyCluster driver_alone;
  BusyCluster services;
  const std::vector<const Child*> paused = {&driver_alone.driver(), &services.driver(), &services.node(0)};
  for (const Child* process : paused) process->Signal(SIGSTOP);
  longer.AwaitEnd();
  for (const Child* process : paused) process->Signal(SIGCONT);
  // Leases that end now began when the driver woke, those of the first nodes, too.
  for (BusyCluster* cluster : {&driver_alone, &services}) {
    CHECK_FALSE(absl::StrContains(cluster->driver().Output(), "is gone"));
    cluster->node(1).Signal(SIGSTOP);
  }
  for (BusyCluster* cluster : {&driver_alone, &services}) cluster->CheckLossOfSecondNode();
}

TEST_CASE("a node that alone is silent past its lease is lost, ends its ranks when it wakes, and joins afresh") {
  TestCluster cluster({{"a", {"--cpus", "4"}}}, {"--node-lease", "0.7"});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.node(0).Signal(SIGSTOP);
  CHECK(sleeper.Wait() == 1);
  CHECK_THAT(sleeper.Output(),
             ContainsSubstring("it was on node 'a', which is gone: nothing was heard of it for 700ms"));
  cluster.node(0).Signal(SIGCONT);
  CHECK(cluster.node(0).AwaitOutput("this node counts as gone"));
  CHECK(cluster.node(0).AwaitOutput("job 1 has ended here"));
  CHECK(Eventually([&] { return absl::StrContains(cluster.driver_process().Output(), "node 2 'a' has joined"); }));
  Child once(Program({"once", "cpu", "2"}), cluster.environment());
  CHECK(once.Wait() == 0);
  const std::string output = cluster.node(0).Output();
  CHECK(output.find("job 1 has ended here") < output.rfind("has joined the driver"));  // its devices are free then
}

// The first rank of whose method something was heard.
pid_t AsleepIn(const Child& sleeper) {
  const std::string says = "asleep in ";
  REQUIRE(sleeper.AwaitOutput(says));
  const std::string output = sleeper.Output();
  return std::atoi(output.c_str() + output.find(says) + says.size());
}

TEST_CASE("a rank that is stopped is told of, by its node and in its program, and waited for until it goes on") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  const pid_t rank = AsleepIn(sleeper);
  ::kill(rank, SIGSTOP);
  const std::string told =
      absl::StrCat(" (node 'a', pid ", rank, ") is stopped by a signal: calls on it wait until it goes on (kill -CONT ",
                   rank, "), for 3600 s at most (--stopped-limit): then it is killed, and its group is lost");
  CHECK(sleeper.AwaitOutput(told));
  CHECK(cluster.node(0).AwaitOutput(told));
  ::kill(rank, SIGCONT);
  const std::string goes_on = absl::StrCat(" (node 'a', pid ", rank, ") goes on");
  CHECK(sleeper.AwaitOutput(goes_on));
  CHECK(cluster.node(0).AwaitOutput(goes_on));
  CHECK(IsAlive(rank));
  CHECK(IsAlive(sleeper.pid()));
}

TEST_CASE(
    "calls on a rank that is stopped for less than the limit go on; for longer, its group ends, and why is told") {
  ::setenv("TWINKLE_STOPPED_LIMIT", "2", 1);
  auto session = Begin({.groups = {Cpu("pool", 2)}});
  ::unsetenv("TWINKLE_STOPPED_LIMIT");
  auto probe = Must(New<Probe>({.remote_group = "pool"}));
  const auto rank = static_cast<pid_t>(Result(probe.Pid()).at(1));
  ::kill(rank, SIGSTOP);
  auto waits = probe.Pid();
  while (waits.Wait(absl::Milliseconds(100)).ok()) waits = probe.Pid();  // it may answer one more
  ::kill(rank, SIGCONT);
  CHECK(Result(waits).at(1) == rank);
  ::kill(rank, SIGSTOP);
  while (waits.Wait(absl::InfiniteDuration()).ok()) waits = probe.Pid();
  const std::string told = Told(waits.Get());
  CHECK_THAT(told, ContainsSubstring(absl::StrCat("pid ", rank)) &&
                       ContainsSubstring("its process is gone: it was stopped for 2 s (--stopped-limit)"));
  CHECK_FALSE(IsAlive(rank));
  session.Finish().IgnoreError();
}

}  // namespace
}  // namespace twinkle::tests
