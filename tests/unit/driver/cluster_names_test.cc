// Who finds what of a cluster: components by name, processes of other jobs.
#include <absl/status/status.h>
#include <absl/strings/match.h>

#include <string>
#include <variant>

#include "driver/cluster_state.h"
#include "tests/support/catch.h"
#include "tests/unit/driver/cluster.h"

namespace twinkle::driver {
namespace {

TEST_CASE("names are the cluster's, instance ids a job's") {
  Cluster cluster;
  cluster.Join("a", 4);
  const JobNumber one = cluster.Submit(JobOf(1));
  const JobNumber two = cluster.Submit(JobOf(1));
  cluster.Start(one);
  cluster.Start(two);
  v1::Component component;
  component.set_name("policy");
  component.set_class_name("Policy");
  component.set_group("pool");
  component.set_instance_id("i");
  const auto made = cluster.state.AddComponent(one, component, &cluster.effects);
  REQUIRE(made.ok());
  CHECK(cluster.state.AddComponent(one, component, &cluster.effects)->existed());
  CHECK(absl::IsAlreadyExists(cluster.state.AddComponent(two, component, &cluster.effects).status()));
  component.set_class_name("Other");
  CHECK(absl::IsInvalidArgument(cluster.state.AddComponent(one, component, &cluster.effects).status()));
  CHECK(absl::IsNotFound(cluster.state.FindComponent(two, "nobody").status()));
  const auto own = cluster.state.FindComponent(one, "policy");
  REQUIRE(own.ok());
  CHECK(own->processes_size() == 0);
  const auto found = cluster.state.FindComponent(two, "policy");
  REQUIRE(found.ok());
  CHECK(found->component().id() == made->component().id());
  CHECK(found->processes_size() == 1);
  CHECK_FALSE(found->ticket().empty());
  // Two ports went to the jobs' groups.
  CHECK(*cluster.state.Rendezvous(one, made->component().id()) == "a.example:29502");
  CHECK(*cluster.state.Rendezvous(one, made->component().id()) == "a.example:29502");
  // What is done with it is its own job's business.
  CHECK(absl::IsPermissionDenied(cluster.state.Rendezvous(two, made->component().id()).status()));
  CHECK(absl::IsPermissionDenied(cluster.state.RemoveComponent(two, made->component().id(), &cluster.effects)));
  CHECK(cluster.state.FindComponent(two, "policy").ok());
  CHECK(absl::IsNotFound(cluster.state.RemoveComponent(two, 99, &cluster.effects)));
  // Who found it hears of its end.
  cluster.Take();
  cluster.Exit(1, one, (one << kProcessBits) + 1, "exited with code 1");
  CHECK(cluster.Told(two, &v1::DriverToProgram::has_lost));
  cluster.state.ProgramGone(one, cluster.now, &cluster.effects);
  cluster.state.JobCleared(1, one, cluster.now, &cluster.effects);
  CHECK(absl::IsNotFound(cluster.state.FindComponent(two, "policy").status()));
}

TEST_CASE("ports for rendezvous are those that the node of the group's first process found free, each given out once") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 4);
  google::protobuf::RepeatedField<int> ports;
  ports.Add(40001);
  cluster.state.NodeHasPorts(node, ports);
  cluster.Start(cluster.Submit(JobOf(1)));
  CHECK(cluster.ToNodes().back().message.has_peers());
  const auto rendezvous = [&] {
    for (const ToNode& effect : cluster.ToNodes()) {
      if (effect.message.has_start()) return effect.message.start().groups(0).rendezvous();
    }
    return std::string();
  };
  CHECK(rendezvous() == "a.example:40001");
  cluster.Take();
  cluster.Start(cluster.Submit(JobOf(1)));
  CHECK(rendezvous() == "a.example:29500");  // none is left: the usual one
}

// On one node, the second with two ranks.
struct ThreeJobs : Cluster {
  ThreeJobs() {
    for (const JobNumber job : {first, second, third}) Start(job);
  }
  // That of the first rank of `owner`.
  void AddComponent(JobNumber owner, const std::string& name) {
    v1::Component component;
    component.set_name(name);
    component.set_group("pool");
    REQUIRE(state.AddComponent(owner, component, &effects).ok());
  }
  const NodeId node = Join("a", 8);
  const JobNumber first = Submit(JobOf(1)), second = Submit(JobOf(2)), third = Submit(JobOf(1));
};

TEST_CASE("processes of jobs that have to do with each other can meet, of others not") {
  ThreeJobs cluster;
  const JobNumber owner = cluster.first, finder = cluster.second, third = cluster.third;
  cluster.AddComponent(owner, "policy");
  const uint64_t worker = (finder << kProcessBits) + 2;
  CHECK(absl::IsPermissionDenied(cluster.state.Meet(owner, worker).status()));
  REQUIRE(cluster.state.FindComponent(finder, "policy").ok());
  const auto met = cluster.state.Meet(owner, worker);
  REQUIRE(met.ok());
  CHECK(met->process().id() == worker);
  CHECK(met->process().rank() == 1);
  CHECK_FALSE(met->ticket().empty());
  CHECK(cluster.state.Meet(owner, finder << kProcessBits)->process().endpoint().socket() == "unix:program");
  CHECK(absl::IsPermissionDenied(cluster.state.Meet(third, worker).status()));
  CHECK(absl::IsNotFound(cluster.state.Meet(owner, (finder << kProcessBits) + 9).status()));
  CHECK(absl::IsNotFound(cluster.state.Meet(owner, uint64_t{99} << kProcessBits).status()));
  // A third that found something of both brings them together.
  cluster.AddComponent(third, "reward");
  REQUIRE(cluster.state.FindComponent(finder, "reward").ok());
  CHECK(cluster.state.Meet(owner, (third << kProcessBits) + 1).ok());
  // Who met a process hears of its end.
  cluster.Take();
  cluster.Exit(1, finder, worker, "exited with code 1");
  CHECK(cluster.Told(owner, &v1::DriverToProgram::has_lost));
  CHECK(absl::IsUnavailable(cluster.state.Meet(owner, worker).status()));
}

TEST_CASE("who met a job that had found something of its own hears whether that one ended as its program wished") {
  for (const bool as_wished : {true, false}) {
    ThreeJobs cluster;
    const JobNumber owner = cluster.first, finder = cluster.second;
    cluster.AddComponent(owner, "policy");
    REQUIRE(cluster.state.FindComponent(finder, "policy").ok());
    REQUIRE(cluster.state.Meet(owner, finder << kProcessBits).ok());
    if (as_wished) {
      cluster.state.Finish(finder, absl::Seconds(3), cluster.now, &cluster.effects);
    } else {
      cluster.state.ProgramGone(finder, cluster.now, &cluster.effects);
    }
    cluster.Take();
    cluster.state.JobCleared(cluster.node, finder, cluster.now, &cluster.effects);
    const auto told = cluster.ToJob(owner);
    REQUIRE(told.size() == 1);
    CHECK(told[0].lost().job() == finder);
    CHECK(told[0].lost().at_end() == as_wished);
  }
}

TEST_CASE("jobs that a third has brought together stay so when it ends, and nothing is kept of it") {
  ThreeJobs cluster;
  const JobNumber one = cluster.first, two = cluster.second, third = cluster.third;
  cluster.AddComponent(one, "policy");
  cluster.AddComponent(two, "reward");
  for (const char* name : {"policy", "reward"}) REQUIRE(cluster.state.FindComponent(third, name).ok());
  cluster.state.ProgramGone(third, cluster.now, &cluster.effects);
  cluster.state.JobCleared(cluster.node, third, cluster.now, &cluster.effects);
  CHECK(cluster.state.Meet(one, (two << kProcessBits) + 1).ok());
  CHECK(cluster.state.Meet(two, (one << kProcessBits) + 1).ok());
  cluster.Take();
  cluster.Exit(cluster.node, one, (one << kProcessBits) + 1, "exited with code 1");
  for (const auto& effect : cluster.effects) {
    if (const auto* to_program = std::get_if<ToProgram>(&effect)) CHECK(to_program->job != third);
  }
  CHECK(cluster.Told(two, &v1::DriverToProgram::has_lost));
}

}  // namespace
}  // namespace twinkle::driver
