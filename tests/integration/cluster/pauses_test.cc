// Services that are stopped for a while, as by a debugger or a machine that is suspended.
#include <absl/strings/match.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<std::string> Program(std::vector<std::string> words) {
  words.insert(words.begin(), {"/proc/self/exe", "--program"});
  return words;
}

// Blocks while the processes are stopped, for that long.
void Pause(const std::vector<const Child*>& processes, absl::Duration time) {
  for (const Child* process : processes) process->Signal(SIGSTOP);
  Eventually([] { return false; }, time);
  for (const Child* process : processes) process->Signal(SIGCONT);
}

TEST_CASE("a pause of the driver alone, or of the services, longer than any lease, harms nobody") {
  TestCluster cluster({{"a", {"--cpus", "4"}}}, {"--node-lease", "1"});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  Pause({&cluster.driver_process()}, absl::Seconds(1.5));
  Pause({&cluster.driver_process(), &cluster.node(0)}, absl::Seconds(1.5));
  // Longer than a lease again, awake: a loss would have been told.
  Eventually([] { return false; }, absl::Seconds(1.5));
  INFO(sleeper.Output());
  CHECK_THAT(cluster.Command({"status"}), ContainsSubstring("running"));
  CHECK_FALSE(absl::StrContains(cluster.driver_process().Output(), "is gone"));
  CHECK(IsAlive(sleeper.pid()));
}

TEST_CASE("a node that alone is silent past its lease is lost, ends its ranks when it wakes, and joins afresh") {
  TestCluster cluster({{"a", {"--cpus", "4"}}}, {"--node-lease", "1"});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.node(0).Signal(SIGSTOP);
  CHECK(sleeper.Wait() == 1);
  CHECK_THAT(sleeper.Output(), ContainsSubstring("it was on node 'a', which is gone: nothing was heard of it for 1s"));
  cluster.node(0).Signal(SIGCONT);
  CHECK(cluster.node(0).AwaitOutput("this node counts as gone"));
  CHECK(cluster.node(0).AwaitOutput("job 1 has ended here"));
  CHECK(Eventually([&] { return absl::StrContains(cluster.driver_process().Output(), "node 2 'a' has joined"); }));
  Child once(Program({"once", "cpu", "2"}), cluster.environment());
  CHECK(once.Wait() == 0);
  const std::string output = cluster.node(0).Output();
  CHECK(output.find("job 1 has ended here") < output.rfind("has joined the driver"));  // its devices are free then
}

}  // namespace
}  // namespace twinkle::tests
