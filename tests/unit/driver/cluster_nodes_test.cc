// Leases, and nodes that come and go.
#include <absl/strings/match.h>

#include <string>
#include <utility>
#include <vector>

#include "driver/cluster_state.h"
#include "tests/support/catch.h"
#include "tests/unit/driver/cluster.h"

namespace twinkle::driver {
namespace {

// ---- silence
TEST_CASE("a node that falls silent is gone when its lease has run out, and its job hears of it (CS3)") {
  Cluster cluster;
  const NodeId a = cluster.Join("a", 1);
  const NodeId b = cluster.Join("b", 1);
  const JobNumber job = cluster.Submit(JobOf(2));
  cluster.Start(job);
  cluster.PassWith({a, b}, absl::Seconds(16));  // both have spoken four seconds ago
  cluster.Take();
  cluster.PassWith({b}, absl::Seconds(15));
  CHECK(cluster.state.HasNode(a));
  CHECK_FALSE(cluster.Told(job, &v1::DriverToProgram::has_lost));
  cluster.PassWith({b}, absl::Seconds(2));
  CHECK_FALSE(cluster.state.HasNode(a));
  CHECK(cluster.state.HasNode(b));
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_lost));
  CHECK(absl::StrContains(cluster.ToJob(job).at(0).lost().losses(0).cause(), "nothing was heard of it for 20s"));
}

TEST_CASE("a pause of everything, of any length and at any time, harms nobody (CS5)") {
  for (const absl::Duration pause : {absl::Seconds(3), absl::Seconds(25), absl::Hours(100)}) {
    for (int before = 0; before < 4; ++before) {  // since the nodes spoke last
      Cluster cluster;
      const NodeId a = cluster.Join("a", 1);
      const NodeId b = cluster.Join("b", 1);
      const JobNumber job = cluster.Submit(JobOf(2));
      cluster.Start(job);
      const JobNumber waiting = cluster.Submit(JobOf(1));
      cluster.PassWith({a, b}, absl::Seconds(8));
      cluster.Pass(absl::Seconds(before));
      cluster.Take();
      cluster.Pause(pause);
      cluster.Pass(absl::Seconds(10));  // until they speak again
      cluster.PassWith({a, b}, absl::Seconds(30));
      CHECK(cluster.state.HasNode(a));
      CHECK(cluster.state.HasNode(b));
      CHECK_FALSE(cluster.Told(job, &v1::DriverToProgram::has_lost));
      CHECK_FALSE(cluster.Told(waiting, &v1::DriverToProgram::has_ended));
    }
  }
}

TEST_CASE("after a pause every lease begins anew: who is silent then is lost all the same (CS5)") {
  Cluster cluster;
  const NodeId a = cluster.Join("a", 1);
  const NodeId b = cluster.Join("b", 1);
  cluster.PassWith({b}, absl::Seconds(18));
  cluster.Pause(absl::Minutes(5));
  for (int second = 0; second < 18; ++second) {
    cluster.PassWith({b}, absl::Seconds(1));
    CHECK(*cluster.state.NextTick() > cluster.now);  // nothing is due
  }
  CHECK(cluster.state.HasNode(a));
  cluster.PassWith({b}, absl::Seconds(3));
  CHECK_FALSE(cluster.state.HasNode(a));
  CHECK(cluster.state.HasNode(b));
}

TEST_CASE("a backlog is a pause: nobody is lost for what was not read yet (CS5)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 1);
  const base::Instant began = cluster.now;
  cluster.now += absl::Seconds(30);  // the tick comes first, what the node has said meanwhile comes behind it
  cluster.state.Tick(cluster.now, &cluster.effects);
  CHECK(cluster.state.HasNode(node));
  for (int i = 1; i < 8; ++i) cluster.state.NodeAlive(node, began + i * absl::Seconds(4));
  cluster.Pass(absl::Seconds(15));
  CHECK(cluster.state.HasNode(node));
}

TEST_CASE("a pause does not count for the time that nodes have to clear a job (CS2, CS5)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 1);
  const JobNumber job = cluster.Submit(JobOf(1));
  cluster.Start(job);
  cluster.state.ProgramGone(job, cluster.now, &cluster.effects);
  cluster.Pause(absl::Hours(1));
  CHECK(cluster.UsedSlots() == 1);
  cluster.PassWith({node}, absl::Seconds(11));
  CHECK(cluster.UsedSlots() == 0);
}

TEST_CASE("without a lease no silence is too long") {
  ClusterState state({.node_lease = absl::InfiniteDuration()}, kBegin);
  Effects effects;
  const NodeId node = state.NodeJoined(NodeOf("a", 1, 0), kBegin, &effects);
  CHECK_FALSE(state.NextTick().has_value());  // nobody need be woken
  for (int hour = 1; hour < 100; ++hour) state.Tick(kBegin + absl::Hours(hour), &effects);
  CHECK(state.HasNode(node));
  CHECK(std::get<ToNode>(effects.at(0)).message.joined().lease_ms() == 0);
}

// ---- nodes that come and go
TEST_CASE("two daemons of one name are one too many, as long as the first is there") {
  Cluster cluster;
  v1::NodeDescription first = NodeOf("a", 1, 0);
  first.mutable_place()->set_pid(11);
  v1::NodeDescription second = first;
  second.mutable_place()->set_pid(12);
  REQUIRE(cluster.state.CheckJoin(first).ok());
  const NodeId node = cluster.state.NodeJoined(first, cluster.now, &cluster.effects);
  const absl::Status refused = cluster.state.CheckJoin(second);
  CHECK(absl::IsAlreadyExists(refused));
  CHECK(absl::StrContains(refused.message(), "there is a node 'a' already (host-a, pid 11): give this one another"));
  v1::NodeDescription container = first;  // where pid 11 is another process
  container.mutable_place()->set_pids("others");
  CHECK(absl::IsAlreadyExists(cluster.state.CheckJoin(container)));
  cluster.state.NodeGone(node, "its daemon's connection ended", cluster.now, &cluster.effects);
  CHECK(cluster.state.CheckJoin(second).ok());
}

TEST_CASE("a daemon that connects anew before its earlier connection's end was seen takes its own place") {
  Cluster cluster;
  const NodeId first = cluster.Join("a", 1);
  const JobNumber job = cluster.Submit(JobOf(1));
  cluster.Start(job);
  cluster.Take();
  REQUIRE(cluster.state.CheckJoin(NodeOf("a", 1, 0)).ok());
  const NodeId second = cluster.Join("a", 1);
  CHECK(first != second);
  CHECK_FALSE(cluster.state.HasNode(first));
  CHECK(cluster.Told(job, &v1::DriverToProgram::has_lost));
}

TEST_CASE("a node's words about itself have bounds") {
  const Cluster cluster;
  v1::NodeDescription node = NodeOf("a", 2'000'000'000, 0);
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(node)));
  node = NodeOf("a", 1, 2'000'000'000);
  CHECK(absl::StrContains(cluster.state.CheckJoin(node).message(), "cuda devices is 2000000000"));
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(NodeOf("a", -1, 0))));
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(NodeOf("a\nb", 1, 0))));
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(NodeOf(std::string(300, 'x'), 1, 0))));
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(NodeOf("", 1, 0))));
}

TEST_CASE("a node whose connection ended after a long silence is told of with that") {
  for (const auto& [silence, cause] :
       {std::pair(absl::Seconds(4), "which is gone: its daemon's connection ended"),
        std::pair(absl::Seconds(10),
                  "which is gone: nothing was heard of it for 10 s, and its daemon's connection ended")}) {
    Cluster cluster;
    const NodeId node = cluster.Join("a", 1);
    const JobNumber job = cluster.Submit(JobOf(1));
    cluster.Start(job);
    cluster.PassWith({node}, absl::Minutes(1));
    cluster.Take();
    cluster.state.NodeAlive(node, cluster.now);
    cluster.Pass(silence);
    cluster.state.NodeDisconnected(node, cluster.now, &cluster.effects);
    REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_lost));
    CHECK(absl::EndsWith(cluster.ToJob(job).front().lost().losses(0).cause(), cause));
  }
}

TEST_CASE("while a node restarts nobody is told that a job can never fit; when it stays away everybody is") {
  Cluster cluster;
  const NodeId a = cluster.Join("a", 1);
  const NodeId b = cluster.Join("b", 4);
  cluster.state.NodeGone(b, "its daemon's connection ended", cluster.now, &cluster.effects);
  const JobNumber patient = cluster.Submit(JobOf(4));
  REQUIRE(cluster.Told(patient, &v1::DriverToProgram::has_waits));
  CHECK(absl::StrContains(cluster.ToJob(patient).back().waits().reason(), "node 'b' was there moments ago"));
  CHECK_FALSE(cluster.Told(patient, &v1::DriverToProgram::has_ended));
  const JobNumber hopeless = cluster.Submit(JobOf(6));  // with both it would not fit either
  CHECK(cluster.Told(hopeless, &v1::DriverToProgram::has_ended));
  SECTION("it comes back") {
    cluster.Join("b", 4);
    CHECK(cluster.Told(patient, &v1::DriverToProgram::has_placed));
  }
  SECTION("it stays away") {
    cluster.PassWith({a}, absl::Seconds(29));
    CHECK_FALSE(cluster.Told(patient, &v1::DriverToProgram::has_ended));
    cluster.PassWith({a}, absl::Seconds(2));
    REQUIRE(cluster.Told(patient, &v1::DriverToProgram::has_ended));
    CHECK(absl::StrContains(cluster.ToJob(patient).back().ended().message(), "can never fit"));
  }
}

TEST_CASE("a driver that has restarted waits for the nodes of before until it says that a job can never fit") {
  Cluster cluster({}, {.last_node = 2, .last_job = 1, .last_component = 0, .open_jobs = {}});
  const NodeId a = cluster.Join("a", 1);
  const JobNumber job = cluster.Submit(JobOf(4));
  CHECK_FALSE(cluster.Told(job, &v1::DriverToProgram::has_ended));
  cluster.PassWith({a}, absl::Seconds(31));
  CHECK(cluster.Told(job, &v1::DriverToProgram::has_ended));
}

TEST_CASE("what a program asks for has bounds, and names") {
  Cluster cluster;
  cluster.Join("a", 8, 8);
  const auto refused = [&](const v1::SubmitJob& submit) {
    const JobNumber job = cluster.Submit(submit);
    REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_ended));
    const v1::JobEnded ended = cluster.ToJob(job).back().ended();
    CHECK(ended.code() == static_cast<int>(absl::StatusCode::kInvalidArgument));
    return ended.message();
  };
  v1::SubmitJob many = JobOf(1);
  for (int i = 0; i < 100'001; ++i) many.mutable_groups(0)->add_workers()->set_slots(1);
  CHECK(absl::StrContains(refused(many), "the number of the job's ranks is 100002: it must be from 0 to 100000"));
  v1::SubmitJob wide = JobOf(1);
  wide.mutable_groups(0)->mutable_workers(0)->set_slots(2'000'000'000);
  CHECK(absl::StrContains(refused(wide), "the slots of a rank of group 'pool' is 2000000000"));
  for (const char* name : {"a/b", "../../x", "..", "a\nb", "\x1b[31m", ""}) {
    v1::SubmitJob named = JobOf(1);
    named.mutable_groups(0)->set_name(name);
    CHECK(absl::StrContains(refused(named), "the name of a group"));
  }
  v1::SubmitJob forged = JobOf(1);
  forged.mutable_program()->set_name("x'\n  job 9 'y': running");
  CHECK(absl::StrContains(refused(forged), "control character"));
}

}  // namespace
}  // namespace twinkle::driver
