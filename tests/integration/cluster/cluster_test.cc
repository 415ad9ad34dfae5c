// A driver and node daemons, as users start them.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("a program runs on two nodes; status shows them") {
  TestCluster cluster({{"a", {"--cpus", "2"}}, {"b", {"--cpus", "2"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  const std::string text = cluster.Command({"status"});
  INFO(text);
  CHECK_THAT(text, ContainsSubstring("2/2"));
  CHECK_THAT(text, ContainsSubstring("group pool: 4 ranks on a (2), b (2)"));
  CHECK_THAT(text, ContainsSubstring("Probe on pool"));
  CHECK_THAT(cluster.Command({"status", "--json"}), ContainsSubstring("\"state\": \"running\""));
  CHECK_THAT(cluster.Command({"logs", "1"}), ContainsSubstring("asleep in"));
  const std::string one = cluster.Command({"logs", "1", "pool:2"});
  CHECK_THAT(one, ContainsSubstring("[pool:2 "));
  CHECK_FALSE(absl::StrContains(one, "[pool:1 "));
  CHECK_THAT(cluster.Command({"stop", "1"}), ContainsSubstring("is being stopped"));
  CHECK(sleeper.Wait() == 1);
  CHECK_THAT(sleeper.Output(), ContainsSubstring("stopped by a command"));
  CHECK(Eventually([&] { return absl::StrContains(cluster.Command({"status"}), "no jobs"); }));
  CHECK_THAT(cluster.Command({"stop", "1"}), ContainsSubstring("job 1 has ended: it was stopped by a command"));
}

TEST_CASE("what does not fit in memory goes to disk; who holds what, and what was moved, is shown") {
  TestCluster cluster({{"a", {"--cpus", "2"}}});
  const Folder folder;
  Child hoarder(Program({"hoarder", folder / ""}), cluster.environment());
  REQUIRE(hoarder.AwaitOutput("KEPT"));
  // Ten shards of 8 MiB on each of two ranks, of which four fifths of 24 MiB stay in memory.
  std::string full;
  const bool spilled = Eventually([&] {
    full = cluster.Command({"memory"});
    return absl::StrContains(full, "16.0 MiB   24.0 MiB  64.0 MiB");
  });
  INFO(full);
  CHECK(spilled);
  CHECK_THAT(full, ContainsSubstring("pool:0"));
  CHECK_THAT(full, ContainsSubstring("80.0 MiB"));
  CHECK_THAT(full, ContainsSubstring("program"));
  CHECK_THAT(full, ContainsSubstring("Probe.Ones [programs.cc:"));
  CHECK(Eventually([&] {
    return absl::StrContains(cluster.Command({"memory", "1", "--json"}), "\"object_bytes_on_disk\": 67");
  }));
  std::ofstream(folder / "read").put('x');
  REQUIRE(hoarder.AwaitOutput("READ"));
  CHECK(Eventually([&] { return absl::StrContains(cluster.Command({"memory"}), "nothing is held"); }));
  const std::string metrics = cluster.Command({"metrics"});
  INFO(metrics);
  CHECK_THAT(metrics, ContainsSubstring("# TYPE twinkle_pulled_bytes_total counter"));
  // Each rank has pulled what the other one has of each result, and its own needed not to be moved.
  CHECK_THAT(metrics,
             ContainsSubstring("twinkle_pulled_bytes_total{from=\"machine\",job=\"1\",group=\"pool\",rank=\"1\","));
  CHECK_THAT(cluster.Command({"memory", "7"}), ContainsSubstring("there is no job 7"));
  std::ofstream(folder / "end").put('x');
  CHECK(hoarder.Wait() == 0);
}

TEST_CASE("device groups are placed, and told their devices") {
  TestCluster cluster({{"a", {"--devices", "cuda:8"}}, {"b", {"--devices", "cuda:4"}}});
  Child once(Program({"once", "cuda", "8"}), cluster.environment());
  CHECK(once.Wait() == 0);
  INFO(once.Output());
  for (int rank = 0; rank < 8; ++rank) {
    CHECK_THAT(once.Output(), ContainsSubstring(absl::StrCat("devices '0,1,2,3,4,5,6,7' on a, local rank ", rank)));
  }
}

TEST_CASE("a job that can never fit is refused at once; one that does not fit now waits as long as it says") {
  TestCluster cluster({{"a", {"--cpus", "4", "--devices", "cuda:2"}}});
  Child never(Program({"once", "cuda", "4"}), cluster.environment());
  CHECK(never.Wait() == 1);
  CHECK_THAT(never.Output(), ContainsSubstring("RESOURCE_EXHAUSTED: the cluster can never fit this job: group 'pool'"));
  CHECK_THAT(never.Output(), ContainsSubstring("a: 4 CPU slots, 2 cuda"));
  Child first(Program({"sleeper"}), cluster.environment());
  REQUIRE(first.AwaitOutput("SLEEPING"));
  Child late(Program({"once", "cpu", "2"}), cluster.environment());
  CHECK(late.Wait() == 1);
  CHECK_THAT(late.Output(), ContainsSubstring("waits for room in the cluster: group 'pool'"));
  CHECK_THAT(late.Output(), ContainsSubstring("DEADLINE_EXCEEDED"));
  Child patient(Program({"once", "cpu", "2"}), cluster.environment());
  REQUIRE(patient.AwaitOutput("waits for room"));
  first.Signal(SIGKILL);
  CHECK(patient.Wait() == 0);
}

TEST_CASE("another program finds a named component, and hears of its end") {
  TestCluster cluster({{"a"}});
  Child keeper(Program({"keeper"}), cluster.environment());
  REQUIRE(keeper.AwaitOutput("KEEPING"));
  Child finder(Program({"finder"}), cluster.environment());
  const bool found = finder.AwaitOutput("FOUND");
  INFO(finder.Output());
  REQUIRE(found);
  CHECK_THAT(finder.Output(), ContainsSubstring("size 2"));
  CHECK_THAT(finder.Output(), ContainsSubstring("found from pool.0/2"));
  CHECK_THAT(finder.Output(), ContainsSubstring("sum 100000"));
  CHECK_THAT(finder.Output(), ContainsSubstring("total 2097152\ntotal 2097152\n"));
  CHECK_THAT(finder.Output(), ContainsSubstring("is a twinkle::tests::Probe, not a twinkle::tests::Relay"));
  keeper.Signal(SIGKILL);
  CHECK(finder.Wait() == 0);
  CHECK_THAT(finder.Output(), ContainsSubstring("then: ABORTED"));
}

TEST_CASE("who has no token, or another, is not let in, and told what to do") {
  TestCluster cluster({{"a"}});
  const Folder folder;
  Environment wrong = cluster.environment();
  wrong["TWINKLE_TOKEN_FILE"] = folder / "token";
  Child without(Program({"begin"}), wrong);
  CHECK(without.Wait() == 1);
  CHECK_THAT(without.Output(), ContainsSubstring("NOT_FOUND: the token file"));
  {
    std::ofstream file(folder / "token");
    file << "0123\n";
  }
  ::chmod((folder / "token").c_str(), 0644);
  Child open(Program({"begin"}), wrong);
  CHECK(open.Wait() == 1);
  CHECK_THAT(open.Output(), ContainsSubstring("can be read by others: chmod 600"));
  ::chmod((folder / "token").c_str(), 0600);
  Child other(Program({"begin"}), wrong);
  CHECK(other.Wait() == 1);
  CHECK_THAT(other.Output(), ContainsSubstring("UNAUTHENTICATED: wrong or missing token"));
  Child worker({ServicePath("twinkle-worker"), "--node-name", "x"}, wrong);
  CHECK(worker.Wait() == 1);
  CHECK_THAT(worker.Output(), ContainsSubstring("wrong or missing token"));
}

TEST_CASE("where no driver is, that is said") {
  const TestCluster cluster({});
  Environment nowhere = cluster.environment();
  nowhere["TWINKLE_DRIVER"] = "127.0.0.1:1";
  Child status({ServicePath("twinkle"), "status"}, nowhere);
  CHECK(status.Wait() == 1);
  CHECK_THAT(status.Output(), ContainsSubstring("no driver answers at 127.0.0.1:1"));
}

TEST_CASE("the end of a node is that of its ranks; a program elsewhere is told") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.node(0).Signal(SIGKILL);
  CHECK(sleeper.Wait() == 1);
  CHECK_THAT(sleeper.Output(), ContainsSubstring("it was on node 'a', which is gone"));
}

TEST_CASE("the end of the driver ends its jobs; the nodes wait for another") {
  TestCluster cluster({{"a", {"--cpus", "4"}}});
  Child sleeper(Program({"sleeper"}), cluster.environment());
  REQUIRE(sleeper.AwaitOutput("SLEEPING"));
  cluster.driver_process().Signal(SIGKILL);
  CHECK(sleeper.Wait() == 1);
  CHECK_THAT(sleeper.Output(), ContainsSubstring("the driver at 127.0.0.1"));
  CHECK(cluster.node(0).AwaitOutput("waiting for it to come back"));
}

TEST_CASE("services that others could reach must be told that this is meant; bad options are told") {
  const Folder folder;
  Child open({ServicePath("twinkle-driver"), "--listen", "0.0.0.0:0", "--token-file", folder / "token"});
  CHECK(open.Wait() == 2);
  CHECK_THAT(open.Output(), ContainsSubstring("--insecure-network"));
  std::ofstream(folder / "token") << "0123\n";
  ::chmod((folder / "token").c_str(), 0600);
  Child devices({ServicePath("twinkle-worker"), "--driver", "127.0.0.1:1", "--devices", "many", "--token-file",
                 folder / "token"});
  CHECK(devices.Wait() == 2);
  CHECK_THAT(devices.Output(), ContainsSubstring("cuda:8"));
  Child unseen({ServicePath("twinkle-worker"), "--driver", "127.0.0.1:1", "--devices", "cuda:2", "--token-file",
                folder / "token"},
               {{"CUDA_VISIBLE_DEVICES", "-1"}});
  CHECK(unseen.Wait() == 1);
  CHECK_THAT(unseen.Output(), ContainsSubstring("CUDA_VISIBLE_DEVICES shows 0 of them"));
  for (const auto& [driver, host] : {std::pair("10.255.255.1:1", "127.0.0.1"), std::pair("localhost:1", "gpu-1")}) {
    if (::geteuid() != 0) break;
    Child root({ServicePath("twinkle-worker"), "--driver", driver, "--host", host, "--token-file", folder / "token"},
               {{"TWINKLE_ALLOW_ROOT", ""}});
    CHECK(root.Wait() == 1);
    CHECK_THAT(root.Output(), ContainsSubstring("--allow-root"));
  }
  Child allowed({ServicePath("twinkle-worker"), "--driver", "10.255.255.1:1", "--token-file", folder / "token",
                 "--devices", "many", "--allow-root"});
  CHECK(allowed.Wait() == 2);
  CHECK_THAT(allowed.Output(), ContainsSubstring("cuda:8"));  // what it refuses next
  for (const char* service : {"twinkle-driver", "twinkle-worker", "twinkle"}) {
    Child version({ServicePath(service), "--version"});
    CHECK(version.Wait() == 0);
    CHECK_THAT(version.Output(), ContainsSubstring(std::string(service) + " 0."));
    Child help({ServicePath(service), "--help"});
    CHECK(help.Wait() == 0);
    CHECK_THAT(help.Output(), ContainsSubstring("--token-file"));
  }
  Child doctor({ServicePath("twinkle"), "doctor"}, {{"TWINKLE_DRIVER", ""}});
  CHECK(doctor.Wait() == 0);
  CHECK_THAT(doctor.Output(), ContainsSubstring("shared memory: sealed memory files work"));
}

}  // namespace
}  // namespace twinkle::tests
