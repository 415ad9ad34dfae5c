// Services that are stopped for a while, as by a debugger or a machine that is suspended.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
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
    CHECK(Eventually([&] { return Count(kGone) == ends_ + 1; }));
    cluster_.node(0).Signal(SIGCONT);
    ++ends_;
    CHECK(Eventually([&] { return Count("'stopped' has joined") == ends_ + 1; }));
  }

 private:
  static constexpr char kGone[] = " is gone";
  int Count(const std::string& text) {
    const std::string said = cluster_.driver_process().Output();
    int count = 0;
    for (size_t at = said.find(text); at != std::string::npos; at = said.find(text, at + 1)) ++count;
    return count;
  }

  TestCluster cluster_;
  int ends_ = 0;
};

// The processes are stopped until the lease has ended.
void Pause(const std::vector<const Child*>& processes, Lease& lease) {
  for (const Child* process : processes) process->Signal(SIGSTOP);
  lease.AwaitEnd();
  for (const Child* process : processes) process->Signal(SIGCONT);
}

// Nodes are numbered as they come: two that start together in any order.
std::string IsGone(const std::string& driver_output, const std::string& name) {
  const size_t joined = driver_output.find(absl::StrCat(" '", name, "' has joined"));
  const size_t node = driver_output.rfind("node ", joined);
  return absl::StrCat(driver_output.substr(node, joined - node), " is gone");
}

TEST_CASE("a pause of the driver alone, or of the services, longer than any lease, harms nobody") {
  Lease longer("1.5");
  TestCluster cluster({{"a", {"--cpus", "4"}}, {"b", {"--cpus", "0"}}}, {"--node-lease", "1"});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  Pause({&cluster.driver_process()}, longer);
  Pause({&cluster.driver_process(), &cluster.node(0)}, longer);
  // A lease that ends now began when the driver woke, as that of the first node did.
  CHECK_FALSE(absl::StrContains(cluster.driver_process().Output(), "is gone"));
  const std::string joined = cluster.driver_process().Output();
  cluster.node(1).Signal(SIGSTOP);
  CHECK(Eventually([&] { return absl::StrContains(cluster.driver_process().Output(), IsGone(joined, "b")); }));
  cluster.node(1).Signal(SIGCONT);
  INFO(sleeper.Output());
  CHECK_THAT(cluster.Command({"status"}), ContainsSubstring("running"));
  CHECK_FALSE(absl::StrContains(cluster.driver_process().Output(), IsGone(joined, "a")));
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
