#include "driver/cluster_state.h"

#include <absl/strings/match.h>

#include <set>
#include <string>
#include <vector>

#include "driver/bounds.h"
#include "runtime/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/driver/cluster.h"

namespace twinkle::driver {
namespace {

TEST_CASE("a job is placed, started, and told of its processes once all listen (CS1)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 8, 4);
  const JobNumber job = cluster.Submit(JobOf(2, 4));
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_placed));
  const v1::JobPlaced placed = cluster.ToJob(job).back().placed();
  CHECK(placed.processes_size() == 6);
  CHECK(placed.process() == job << kProcessBits);
  CHECK(placed.listen_host() == "a.example");  // jobs on other machines may find something of this one
  CHECK(cluster.UsedSlots() == 2);
  CHECK(cluster.UsedDevices() == 4);
  cluster.Take();
  cluster.Start(job);
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_peers));
  const v1::JobPeers peers = cluster.ToJob(job).back().peers();
  CHECK(peers.processes_size() == 7);
  CHECK(peers.processes(0).id() == placed.process());
  std::set<uint64_t> ids;
  for (const v1::Process& process : peers.processes()) ids.insert(process.id());
  CHECK(ids.size() == 7);
  const auto told = cluster.ToNodes();
  CHECK(told.back().node == node);
  CHECK(told.back().message.has_peers());
}

TEST_CASE("in a large job each node is told of its own processes and the program; others are met on demand") {
  Cluster cluster;
  const std::vector<NodeId> nodes = {cluster.Join("a", 200, 0), cluster.Join("b", 200, 0)};
  const JobNumber job = cluster.Submit(JobOf(300, 0));
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_placed));
  cluster.Take();
  cluster.Start(job);
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_peers));
  CHECK(cluster.ToJob(job).back().peers().processes_size() == 301);
  std::map<NodeId, std::set<uint64_t>> told;
  for (const ToNode& one : cluster.ToNodes()) {
    for (const v1::Process& process : one.message.peers().processes()) told[one.node].insert(process.id());
  }
  CHECK(told[nodes[0]].size() + told[nodes[1]].size() == 302);
  CHECK(told[nodes[0]].count(job << kProcessBits) == 1);
  CHECK(told[nodes[1]].count(job << kProcessBits) == 1);
  const uint64_t other = *told[nodes[1]].rbegin();
  CHECK(told[nodes[0]].count(other) == 0);
  const absl::StatusOr<v1::MetProcess> met = cluster.state.Meet(job, other);
  REQUIRE(met.ok());
  CHECK(met->process().id() == other);
  CHECK(met->ticket().empty());  // the job's secret is known
}

TEST_CASE("where the nodes have no address processes listen for their own machine only") {
  Cluster cluster;
  v1::NodeDescription node = NodeOf("a", 8, 0);
  node.mutable_endpoint()->clear_address();
  cluster.state.NodeJoined(node, cluster.now, &cluster.effects);
  const JobNumber job = cluster.Submit(JobOf(2));
  CHECK(cluster.ToJob(job).back().placed().listen_host().empty());
  cluster.Take();
  cluster.state.ProgramListens(job, {}, &cluster.effects);
  REQUIRE(cluster.ToNodes().size() == 1);
  CHECK(cluster.ToNodes()[0].message.start().listen_host().empty());
}

TEST_CASE("processes on several machines are told an address to listen on") {
  Cluster cluster;
  cluster.Join("a", 1);
  cluster.Join("b", 1);
  const JobNumber job = cluster.Submit(JobOf(2));
  CHECK(cluster.ToJob(job).back().placed().listen_host() == "a.example");
  cluster.Take();
  v1::ProgramListens listens;
  listens.set_digest("abc");
  cluster.state.ProgramListens(job, listens, &cluster.effects);
  const auto told = cluster.ToNodes();
  REQUIRE(told.size() == 2);
  CHECK(told[0].message.start().listen_host() == "a.example");
  CHECK(told[1].message.start().listen_host() == "b.example");
  CHECK(told[1].message.start().program().digest() == "abc");
  CHECK(told[1].message.start().groups(0).rendezvous() == "a.example:29500");
}

TEST_CASE("a job that can never fit is refused at once, saying what is missing where (CS4)") {
  Cluster cluster;
  cluster.Join("a", 2, 4);
  const JobNumber job = cluster.Submit(JobOf(0, 8));
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_ended));
  const v1::JobEnded ended = cluster.ToJob(job).back().ended();
  CHECK(ended.code() == static_cast<int>(absl::StatusCode::kResourceExhausted));
  CHECK(absl::StrContains(ended.message(), "can never fit"));
  CHECK(absl::StrContains(ended.message(), "a: 2 CPU slots, 4 cuda"));
  CHECK(cluster.state.Status(cluster.now).jobs_size() == 0);
}

TEST_CASE("a worker's devices must be on one virtual node") {
  Cluster cluster;
  cluster.Join("a", 0, 8);
  v1::SubmitJob submit = JobOf(0, 8);
  submit.set_devices_per_node(3);
  submit.mutable_groups(0)->clear_workers();
  auto& worker = *submit.mutable_groups(0)->add_workers();
  worker.add_devices(2);
  worker.add_devices(3);
  const JobNumber job = cluster.Submit(submit);
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_ended));
  CHECK(cluster.ToJob(job).back().ended().code() == static_cast<int>(absl::StatusCode::kInvalidArgument));
}

TEST_CASE("a job that does not fit now waits, says for what, and is placed when there is room (CS2)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 2);
  const JobNumber first = cluster.Submit(JobOf(2));
  cluster.Start(first);
  cluster.Take();
  const JobNumber second = cluster.Submit(JobOf(1));
  REQUIRE(cluster.Told(second, &v1::DriverToProgram::has_waits));
  CHECK(absl::StrContains(cluster.ToJob(second).back().waits().reason(), "group 'pool'"));
  cluster.state.Finish(first, absl::ZeroDuration(), cluster.now, &cluster.effects);
  CHECK_FALSE(cluster.Told(second, &v1::DriverToProgram::has_placed));  // not before the node has cleared it
  cluster.state.JobCleared(node, first, cluster.now, &cluster.effects);
  CHECK(cluster.Told(first, &v1::DriverToProgram::has_ended));
  CHECK(cluster.Told(second, &v1::DriverToProgram::has_placed));
}

TEST_CASE("a job waits for a first node, and at most as long as it said") {
  Cluster cluster;
  const JobNumber early = cluster.Submit(JobOf(1));
  CHECK(cluster.Told(early, &v1::DriverToProgram::has_waits));
  cluster.Join("a", 1);
  CHECK(cluster.Told(early, &v1::DriverToProgram::has_placed));
  const JobNumber late = cluster.Submit(JobOf(1));
  cluster.PassWith({1}, absl::Seconds(59));
  CHECK_FALSE(cluster.Told(late, &v1::DriverToProgram::has_ended));
  cluster.Pass(absl::Seconds(1));
  REQUIRE(cluster.Told(late, &v1::DriverToProgram::has_ended));
  CHECK(cluster.ToJob(late).back().ended().code() == static_cast<int>(absl::StatusCode::kDeadlineExceeded));
}

TEST_CASE("the end of one process is that of its group: all hear of all, the first cause first (CS3)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 8, 4);
  const JobNumber job = cluster.Submit(JobOf(2, 2));
  cluster.Start(job);
  cluster.Take();
  const uint64_t policy = (job << kProcessBits) + 3;
  cluster.Exit(node, job, policy + 1, "was killed by signal 9 (SIGKILL)");
  const auto messages = cluster.ToJob(job);
  REQUIRE(messages.size() == 1);
  const v1::PeersLost& lost = messages[0].lost();
  REQUIRE(lost.losses_size() == 2);
  CHECK(lost.losses(0).process() == policy + 1);
  CHECK(absl::StrContains(lost.losses(0).cause(),
                          "it was killed by signal 9 (SIGKILL); the last it printed:\n  the last line"));
  CHECK(lost.losses(1).process() == policy);
  CHECK(lost.losses(1).cause().empty());  // that of all
  CHECK(absl::StrContains(lost.cause(), "group 'policy' was aborted: rank 1 (host-a, pid 101) was killed"));
  const auto to_nodes = cluster.ToNodes();
  REQUIRE(to_nodes.size() == 2);
  CHECK(to_nodes[0].message.has_lost());
  REQUIRE(to_nodes[1].message.has_end());
  CHECK(to_nodes[1].message.end().processes(0) == policy);
  cluster.Take();
  cluster.Exit(node, job, policy, "was killed by signal 9 (SIGKILL)");  // as it was told to
  CHECK(cluster.effects.empty());
  const v1::ClusterStatus status = cluster.state.Status(cluster.now);
  REQUIRE(status.jobs(0).aborted_groups_size() == 1);
  CHECK(status.jobs(0).aborted_groups(0).name() == "policy");
  CHECK(
      absl::StrContains(status.jobs(0).aborted_groups(0).reason(), "rank 1 (host-a, pid 101) was killed by signal 9"));
}

TEST_CASE("what an aborted group had is free as soon as its processes are cleared, but not what others share (CS2)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 8, 4);
  v1::SubmitJob submit = JobOf(2, 2);
  v1::Group& sharing = *submit.add_groups();
  sharing.set_name("critic");
  sharing.set_device_type("cuda");
  sharing.add_workers()->add_devices(0);
  const JobNumber job = cluster.Submit(submit);
  cluster.Start(job);
  CHECK(cluster.UsedDevices() == 2);
  const uint64_t policy = (job << kProcessBits) + 3;
  cluster.state.ProcessCleared(node, job, policy, cluster.now, &cluster.effects);  // which has not ended
  cluster.ExitWithAll(node, job, policy, "exited with code 1");
  CHECK(cluster.UsedDevices() == 2);  // its device is the critic's, too; the other rank has not ended
  cluster.Exit(node, job, policy + 1, "was killed by signal 9 (SIGKILL)");
  CHECK(cluster.UsedDevices() == 2);  // what it has started may use it
  cluster.state.ProcessCleared(node, job, policy + 1, cluster.now, &cluster.effects);
  CHECK(cluster.UsedDevices() == 1);
  cluster.Take();
  const JobNumber other = cluster.Submit(JobOf(0, 3));
  CHECK(cluster.Told(other, &v1::DriverToProgram::has_placed));
  cluster.ExitWithAll(node, job, policy + 2, "exited with code 1");
  CHECK(cluster.UsedDevices() == 3);
  cluster.ExitWithAll(node, job, (job << kProcessBits) + 1, "exited with code 1");
  CHECK(cluster.UsedSlots() == 1);
  cluster.state.ProgramGone(job, cluster.now, &cluster.effects);
  cluster.state.JobCleared(node, job, cluster.now, &cluster.effects);
  CHECK(cluster.UsedDevices() == 3);  // nothing is given back twice
  CHECK(cluster.UsedSlots() == 0);
}

TEST_CASE("numbers go on where an earlier driver left off; what must survive is recorded") {
  ClusterState state({}, kBegin, {.last_node = 4, .last_job = 9, .last_component = 6, .open_jobs = {}});
  Effects effects;
  CHECK(state.Joining(NodeOf("a", 1, 0)) == Record{Record::Kind::kNodeJoined, 5, "a"});
  CHECK(state.NodeJoined(NodeOf("a", 1, 0), kBegin, &effects) == 5);
  CHECK(state.Submitting(JobOf(1)) == Record{Record::Kind::kJobSubmitted, 10, "job"});
  const JobNumber job = state.Submit(JobOf(1), "secret", kBegin, &effects);
  CHECK(job == 10);
  CHECK(state.AddComponent(job, v1::Component(), &effects)->component().id() == 7);
  std::vector<Record::Kind> kinds;
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<Record>(&effect)) kinds.push_back(record->kind);
  }
  using Kind = Record::Kind;
  CHECK(kinds == std::vector<Kind>{Kind::kJobPlaced, Kind::kComponentAdded});
}

TEST_CASE("a driver that has kept nothing goes on behind the jobs that its nodes have heard of") {
  Cluster cluster;
  v1::NodeDescription node = NodeOf("a", 1, 0);
  cluster.state.NodeJoined(node, cluster.now, &cluster.effects);
  CHECK(cluster.Submit(JobOf(1)) == 1);
  node.set_name("b");
  node.set_last_job(7);
  cluster.state.NodeJoined(node, cluster.now, &cluster.effects);
  CHECK(cluster.Submit(JobOf(1)) == 8);
  node.set_name("c");
  node.set_last_job(3);
  cluster.state.NodeJoined(node, cluster.now, &cluster.effects);
  CHECK(cluster.Submit(JobOf(1)) == 9);
  node.set_name("d");
  node.set_last_job(UINT64_MAX);
  CHECK(absl::IsInvalidArgument(cluster.state.CheckJoin(node)));
}

v1::EndGroup EndOf(const std::string& group, const std::string& cause, bool cut = false) {
  v1::EndGroup end;
  end.set_group(group);
  end.set_cause(cause);
  end.set_cut(cut);
  return end;
}

TEST_CASE("a group that cannot go on is ended, and no other") {
  Cluster cluster;
  cluster.Join("a", 8, 4);
  const JobNumber job = cluster.Submit(JobOf(2, 2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.EndGroup(job, EndOf("pool", "it did not leave the method"), &cluster.effects);
  const v1::PeersLost lost = cluster.ToJob(job).at(0).lost();
  REQUIRE(lost.losses_size() == 2);
  CHECK(lost.cause() == "group 'pool' was aborted: it did not leave the method");
  CHECK(lost.asked_for());
  cluster.Take();
  cluster.state.EndGroup(job, EndOf("pool", "again"), &cluster.effects);
  CHECK(cluster.effects.empty());
}

TEST_CASE("a group that ends since two cannot reach each other is a loss that nobody has asked for") {
  Cluster cluster;
  cluster.Join("a", 8, 4);
  const JobNumber job = cluster.Submit(JobOf(2, 2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.EndGroup(job, EndOf("pool", "a and b cannot reach each other", /*cut=*/true), &cluster.effects);
  CHECK_FALSE(cluster.ToJob(job).at(0).lost().asked_for());
}

TEST_CASE("a node's end is that of its processes; the job's lease of it is gone (CS2, CS3)") {
  Cluster cluster;
  const NodeId a = cluster.Join("a", 1);
  cluster.Join("b", 1);
  const JobNumber job = cluster.Submit(JobOf(2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.NodeGone(a, "its daemon's connection ended", cluster.now, &cluster.effects);
  const v1::PeersLost lost = cluster.ToJob(job).at(0).lost();
  REQUIRE(lost.losses_size() == 2);
  CHECK(absl::StrContains(lost.losses(0).cause(), "it was on node 'a', which is gone: its daemon's connection ended"));
  cluster.Take();
  cluster.state.ProgramGone(job, cluster.now, &cluster.effects);
  REQUIRE(cluster.ToNodes().size() == 1);
  CHECK(cluster.ToNodes()[0].message.stop().grace_ms() == 0);
}

TEST_CASE("a process that does not start ends the job, with what it printed (CS4)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 2);
  const JobNumber job = cluster.Submit(JobOf(2));
  cluster.state.ProgramListens(job, {}, &cluster.effects);
  cluster.Exit(node, job, (job << kProcessBits) + 2, "exited with code 127");
  CHECK(cluster.ToNodes().back().message.stop().grace_ms() == 0);
  cluster.Exit(node, job, (job << kProcessBits) + 1, "was killed by signal 9 (SIGKILL)");  // as it was told to
  cluster.state.JobCleared(node, job, cluster.now, &cluster.effects);
  REQUIRE(cluster.Told(job, &v1::DriverToProgram::has_ended));
  const v1::JobEnded ended = cluster.ToJob(job).back().ended();
  CHECK(ended.code() == static_cast<int>(absl::StatusCode::kAborted));
  CHECK(absl::StrContains(ended.message(), "rank 1 of group 'pool' (host-a) did not start: exited with code 127"));
  CHECK(absl::StrContains(ended.message(), "the last line"));
  CHECK(cluster.UsedSlots() == 0);
}

TEST_CASE("the end of a program is that of its job; a node that does not clear it holds up nobody for ever (CS2)") {
  Cluster cluster;
  cluster.Join("a", 2, 2);
  const JobNumber job = cluster.Submit(JobOf(1, 2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.ProgramGone(job, cluster.now, &cluster.effects);
  CHECK(cluster.ToNodes().at(0).message.has_stop());
  CHECK(cluster.UsedDevices() == 2);
  cluster.PassWith({1}, absl::Seconds(11));
  REQUIRE(cluster.state.HasNode(1));
  CHECK(cluster.UsedDevices() == 0);
  CHECK(cluster.UsedSlots() == 0);
  CHECK(cluster.state.Status(cluster.now).jobs_size() == 0);
  CHECK_FALSE(cluster.Told(job, &v1::DriverToProgram::has_ended));  // there is nobody to hear it
}

TEST_CASE("a job that finishes is given its grace, and told last that it has ended (CS4)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 1);
  const JobNumber job = cluster.Submit(JobOf(1));
  cluster.Start(job);
  cluster.Take();
  cluster.state.Finish(job, absl::Seconds(3), cluster.now, &cluster.effects);
  CHECK(cluster.ToNodes().at(0).message.stop().grace_ms() == 3000);
  cluster.Exit(node, job, (job << kProcessBits) + 1, "exited with code 0");
  CHECK(cluster.ToJob(job).empty());  // that was wished
  cluster.state.JobCleared(node, job, cluster.now, &cluster.effects);
  REQUIRE(cluster.ToJob(job).size() == 1);
  CHECK(cluster.ToJob(job)[0].ended().code() == 0);
  CHECK(absl::IsNotFound(cluster.state.Stop(job, "why", cluster.now, &cluster.effects)));
}

TEST_CASE("how the last jobs have ended can be asked for") {
  Cluster cluster({.ended_jobs_kept = 2});
  const NodeId node = cluster.Join("a", 8);
  for (int i = 0; i < 3; ++i) {
    const JobNumber job = cluster.Submit(JobOf(1));
    cluster.Start(job);
    cluster.PassWith({node}, absl::Seconds(5));
    REQUIRE(cluster.state.Stop(job, "it was stopped by a command", cluster.now, &cluster.effects).ok());
    cluster.state.JobCleared(node, job, cluster.now, &cluster.effects);
  }
  cluster.Submit(JobOf(9));  // can never fit
  const v1::ClusterStatus status = cluster.state.Status(cluster.now + absl::Seconds(7));
  CHECK(status.jobs_size() == 0);
  REQUIRE(status.ended_jobs_size() == 2);
  CHECK(cluster.state.Stop(3, "why", cluster.now, &cluster.effects) ==
        absl::NotFoundError("job 3 has ended: it was stopped by a command"));
  CHECK(cluster.state.Stop(1, "why", cluster.now, &cluster.effects) ==
        absl::NotFoundError("there is no job 1 (any more)"));
  CHECK(status.ended_jobs(0).id() == 3);
  CHECK(status.ended_jobs(0).reason() == "it was stopped by a command");
  CHECK(status.ended_jobs(0).code() == static_cast<int>(absl::StatusCode::kCancelled));
  CHECK(status.ended_jobs(0).age_s() == 5);
  CHECK(status.ended_jobs(0).ended_s() == 7);
  CHECK(absl::StrContains(status.ended_jobs(1).reason(), "can never fit"));
}

TEST_CASE("what others say of an end is cut, and told once, however many hear of it") {
  Cluster cluster;
  cluster.Join("a", 16);
  const JobNumber job = cluster.Submit(JobOf(16));
  cluster.Start(job);
  cluster.Take();
  const std::string text(3'000'000, 'x');
  cluster.state.EndGroup(job, EndOf("pool", text), &cluster.effects);
  CHECK(cluster.ToJob(job).at(0).ByteSizeLong() < 20'000);
  v1::ProcessExited exited;
  exited.set_cause(text);
  for (int i = 0; i < 1000; ++i) exited.add_last_lines(text.substr(0, 10'000));
  CHECK(CauseOf(exited).size() < 40'000);
}

TEST_CASE("a rank that does not end well when its job finishes is told of before the end (CS4)") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 2);
  const JobNumber job = cluster.Submit(JobOf(2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.Finish(job, absl::Seconds(3), cluster.now, &cluster.effects);
  cluster.Exit(node, job, (job << kProcessBits) + 1, "exited with code 0");
  cluster.Exit(node, job, (job << kProcessBits) + 2, "was killed by signal 11 (SIGSEGV)");
  cluster.state.JobCleared(node, job, cluster.now, &cluster.effects);
  const auto messages = cluster.ToJob(job);
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].lost().at_end());
  REQUIRE(messages[0].lost().losses_size() == 1);
  CHECK(messages[0].lost().losses(0).process() == (job << kProcessBits) + 2);
  CHECK(absl::StrContains(messages[0].lost().losses(0).cause(), "it was killed by signal 11 (SIGSEGV)"));
  CHECK(messages[1].ended().code() == 0);
}

TEST_CASE("a rank of a group that was lost before is not told of again at the end") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 2);
  const JobNumber job = cluster.Submit(JobOf(2));
  cluster.Start(job);
  cluster.Take();
  cluster.Exit(node, job, (job << kProcessBits) + 1, "was killed by signal 9 (SIGKILL)");
  cluster.Take();
  cluster.state.Finish(job, absl::Seconds(3), cluster.now, &cluster.effects);
  cluster.Take();
  cluster.Exit(node, job, (job << kProcessBits) + 2, "was killed by signal 9 (SIGKILL)");
  CHECK(cluster.ToJob(job).empty());
}

TEST_CASE("what a process of the job has asked for is told as that; a death is not") {
  Cluster cluster;
  const NodeId node = cluster.Join("a", 8, 4);
  const JobNumber job = cluster.Submit(JobOf(2, 2));
  cluster.Start(job);
  cluster.Take();
  cluster.state.EndGroup(job, EndOf("policy", "Policy.component().Kill()"), &cluster.effects);
  CHECK(cluster.ToJob(job).at(0).lost().asked_for());
  cluster.Take();
  cluster.Exit(node, job, (job << kProcessBits) + 1, "exited with code 1");
  CHECK_FALSE(cluster.ToJob(job).at(0).lost().asked_for());
}

TEST_CASE("only whoever shows a job's secret is of that job") {
  Cluster cluster;
  cluster.Join("a", 4);
  const JobNumber job = cluster.Submit(JobOf(1));
  CHECK(cluster.state.JobOfSecret("secret-1") == job);
  CHECK(cluster.state.JobOfSecret("secret-2") == 0);
  CHECK(cluster.state.JobOfSecret("") == 0);
}

}  // namespace
}  // namespace twinkle::driver
