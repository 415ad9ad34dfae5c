// The driver between its connections, its journal and its clock: each a fake, stepped.
#include "driver/conductor.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"
#include "tests/unit/driver/cluster.h"
#include "tests/unit/driver/fake_journal.h"

namespace twinkle::driver {
namespace {

using Kind = Record::Kind;

// The other end of a connection.
template <class Message>
struct End {
  std::vector<Message> heard;
  std::optional<absl::Status> finished;

  Outlet<Message> outlet() {
    return {[this](Message message) { heard.push_back(std::move(message)); },
            [this](const absl::Status& status) { finished = status; }};
  }
};

struct Driver {
  explicit Driver(const Restored& restored = {})
      : conductor(Options(), &executor, queue.get(), NewJournal(), restored) {}

  ConductorOptions Options() {
    ConductorOptions options;
    options.say = [this](const std::string& line) { said.push_back(line); };
    options.new_secret = [this] { return "secret-" + std::to_string(++secrets); };
    return options;
  }
  std::unique_ptr<Journal> NewJournal() { return std::make_unique<FakeJournal>(disk); }
  absl::StatusOr<NodeId> Join(const std::string& name, End<v1::DriverToNode>& end, int slots = 4) {
    return conductor.Join(NodeOf(name, slots, 0), end.outlet(), executor.Now());
  }
  JobNumber Submit(End<v1::DriverToProgram>& end, int workers = 1) {
    return conductor.Submit(JobOf(workers), end.outlet(), executor.Now());
  }
  void Say(NodeId node) {
    v1::NodeToDriver alive;
    alive.mutable_alive();
    conductor.OnNode(node, alive, executor.Now());
  }
  // The driver is awake meanwhile.
  void Pass(absl::Duration time, const std::vector<NodeId>& speaking = {}) {
    for (absl::Duration passed; passed < time; passed += absl::Milliseconds(500)) {
      executor.Advance(absl::Milliseconds(500));
      executor.Drain("driver");
      for (NodeId node : speaking) Say(node);
    }
  }
  bool Kept(const Record& record) const { return std::count(disk->records.begin(), disk->records.end(), record) == 1; }

  const std::shared_ptr<FakeJournal::Disk> disk = std::make_shared<FakeJournal::Disk>();
  std::vector<std::string> said;
  int secrets = 0;
  base::SteppedExecutor executor;
  const std::unique_ptr<base::TaskQueue> queue = executor.NewQueue("driver");
  Conductor conductor;
};

TEST_CASE("a number is in the journal before anybody hears of it (CO1)") {
  Driver driver;
  NodeOutlet node;
  node.write = [&](const v1::DriverToNode& message) {
    if (message.has_joined()) CHECK(driver.Kept({Kind::kNodeJoined, message.joined().node(), "a"}));
  };
  REQUIRE(driver.conductor.Join(NodeOf("a", 4, 0), node, driver.executor.Now()).ok());
  ProgramOutlet program;
  bool heard = false;
  program.write = [&](const v1::DriverToProgram& message) {
    heard = message.has_placed();
    CHECK(driver.Kept({Kind::kJobSubmitted, message.placed().job(), "job"}));
  };
  const JobNumber job = driver.conductor.Submit(JobOf(1), program, driver.executor.Now());
  CHECK(heard);
  v1::Component component;
  component.set_class_name("Policy");
  const auto added = driver.conductor.AddComponent(job, component);
  REQUIRE(added.ok());
  CHECK(driver.Kept({Kind::kComponentAdded, added->component().id(), "Policy"}));
}

TEST_CASE("while the journal fails nobody is given a number, and is told why; who runs is left alone (CO2)") {
  Driver driver;
  End<v1::DriverToNode> node, late_node;
  End<v1::DriverToProgram> program, late_program, third;
  REQUIRE(driver.Join("a", node).ok());
  const JobNumber job = driver.Submit(program);
  driver.disk->failing = absl::ResourceExhaustedError("/var/state/journal.sqlite cannot be written: disk is full");
  CHECK(driver.Submit(late_program) == 0);
  REQUIRE(late_program.heard.size() == 1);
  CHECK(late_program.heard[0].ended().code() == static_cast<int>(absl::StatusCode::kResourceExhausted));
  CHECK(absl::StrContains(late_program.heard[0].ended().message(), "/var/state/journal.sqlite"));
  CHECK(absl::StrContains(late_program.heard[0].ended().message(), "takes no new jobs"));
  CHECK(late_program.finished->ok());
  CHECK(absl::IsResourceExhausted(driver.Join("b", late_node).status()));
  CHECK(late_node.heard.empty());
  v1::Component component;
  component.set_name("policy");
  CHECK(absl::IsResourceExhausted(driver.conductor.AddComponent(job, component).status()));
  CHECK(absl::IsNotFound(driver.conductor.state().FindComponent(job, "policy").status()));
  CHECK_FALSE(program.finished.has_value());
  const v1::ClusterStatus status = driver.conductor.Status(driver.executor.Now());
  CHECK(absl::StrContains(status.journal_failure(), "disk is full"));
  CHECK(status.nodes_size() == 1);
  CHECK(status.jobs_size() == 1);
  driver.disk->failing = absl::OkStatus();
  CHECK(driver.Submit(third) == job + 1);  // the number that nobody has heard of
  CHECK(driver.conductor.Status(driver.executor.Now()).journal_failure().empty());
  CHECK(driver.said.back() != driver.said.front());
}

TEST_CASE("what happens while the journal fails is told at once, and written once it can be (CO3)") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> program;
  const NodeId a = *driver.Join("a", node);
  const JobNumber job = driver.Submit(program);
  driver.disk->failing = absl::UnavailableError("the disk fails");
  driver.conductor.NodeEnded(a, driver.executor.Now());
  REQUIRE(program.finished.has_value());  // it had not started yet
  CHECK(program.heard.back().has_ended());
  CHECK_FALSE(driver.Kept({Kind::kJobEnded, job, program.heard.back().ended().message()}));
  const size_t lines = driver.said.size();
  driver.Pass(absl::Seconds(5));
  CHECK(driver.said.size() == lines);  // a failure that lasts is said once
  driver.disk->failing = absl::OkStatus();
  driver.Pass(absl::Seconds(2));
  CHECK(driver.Kept({Kind::kJobEnded, job, program.heard.back().ended().message()}));
  CHECK(absl::StrContains(driver.said.back(), "takes records again"));
  const int appends = driver.disk->appends;
  driver.Pass(absl::Seconds(5));
  CHECK(driver.disk->appends == appends);
}

TEST_CASE("a node that is silent past its lease is told so, its jobs hear of it, and it may join afresh") {
  Driver driver;
  End<v1::DriverToNode> node, other, again;
  End<v1::DriverToProgram> program;
  const NodeId a = *driver.Join("a", node, 1);
  const NodeId b = *driver.Join("b", other, 1);
  CHECK(node.heard.at(0).joined().lease_ms() == 20'000);
  driver.Submit(program, 2);
  driver.Pass(absl::Seconds(19), {b});
  CHECK_FALSE(node.finished.has_value());
  driver.Pass(absl::Seconds(2), {b});
  REQUIRE(node.finished.has_value());
  CHECK(absl::IsUnavailable(*node.finished));
  CHECK(absl::StrContains(node.finished->message(), "this node counts as gone: 'a': nothing was heard of it for 20s"));
  CHECK_FALSE(other.finished.has_value());
  CHECK(absl::StrContains(driver.said.at(driver.said.size() - 1), "node 1 is gone: 'a'"));
  driver.Say(a);  // what was under way
  driver.conductor.NodeEnded(a, driver.executor.Now());
  REQUIRE(driver.Join("a", again, 1).ok());
  CHECK(again.heard.at(0).has_joined());
}

TEST_CASE("the driver alone is stopped, or everything is: nobody is lost") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> program;
  const NodeId a = *driver.Join("a", node);
  driver.Submit(program);
  driver.Pass(absl::Seconds(10), {a});
  driver.executor.Advance(absl::Hours(10));
  driver.executor.Drain("driver");
  driver.Pass(absl::Seconds(15));
  driver.Pass(absl::Seconds(60), {a});
  CHECK_FALSE(node.finished.has_value());
  CHECK_FALSE(program.finished.has_value());
}

TEST_CASE("short deadlines leave no alarms behind: the driver ticks once a pulse, however many there were") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> runs;
  const NodeId a = *driver.Join("a", node, 1);
  driver.Submit(runs);
  for (int i = 0; i < 10; ++i) {
    v1::SubmitJob impatient = JobOf(1);
    impatient.set_placement_limit_ms(300);
    End<v1::DriverToProgram> waits;
    driver.conductor.Submit(impatient, waits.outlet(), driver.executor.Now());
    driver.Pass(absl::Seconds(2), {a});
    REQUIRE(waits.finished.has_value());
  }
  int tasks = 0;
  for (int second = 0; second < 10; ++second) {
    driver.executor.Advance(absl::Seconds(1));
    while (driver.executor.Step("driver")) ++tasks;
    driver.Say(a);
  }
  CHECK(tasks <= 11);
}

TEST_CASE("a program that a node does not find is told that its job has ended, and why, should it be there") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> program;
  const NodeId a = *driver.Join("a", node);
  const JobNumber job = driver.Submit(program);
  v1::NodeToDriver message;
  message.mutable_program_gone()->set_job(job);
  driver.conductor.OnNode(a, message, driver.executor.Now());
  message.mutable_cleared()->set_job(job);
  driver.conductor.OnNode(a, message, driver.executor.Now());
  REQUIRE(program.finished.has_value());
  CHECK(absl::StrContains(program.heard.back().ended().message(), "its program is gone: node 'a' has no process"));
}

TEST_CASE("who comes and goes is said, one line each, and nothing that a name says can forge one") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> program;
  const NodeId a = *driver.Join("a", node);
  const JobNumber job = driver.Submit(program);
  REQUIRE(driver.conductor.StopJob(job, driver.executor.Now()).ok());
  v1::NodeToDriver cleared;
  cleared.mutable_cleared()->set_job(job);
  driver.conductor.OnNode(a, cleared, driver.executor.Now());
  driver.conductor.NodeEnded(a, driver.executor.Now());
  CHECK(driver.said == std::vector<std::string>{"node 1 'a' has joined", "job 1 'job' was submitted",
                                                "job 1 was placed: 1 process on 1 node",
                                                "job 1 has ended: it was stopped by a command",
                                                "node 1 is gone: 'a': its daemon's connection ended"});
  v1::SubmitJob forged = JobOf(1);
  forged.mutable_program()->set_name("x\nnode 9 'z' has joined\x1b[2J");
  driver.conductor.Submit(forged, program.outlet(), driver.executor.Now());
  for (const std::string& line : driver.said) {
    CHECK_FALSE(absl::StrContains(line, "\nnode 9"));
    CHECK_FALSE(absl::StrContains(line, "\x1b"));
  }
}

TEST_CASE("at its end all connections are told") {
  Driver driver;
  End<v1::DriverToNode> node;
  End<v1::DriverToProgram> program;
  REQUIRE(driver.Join("a", node).ok());
  driver.Submit(program);
  driver.queue->Close();
  driver.conductor.Stop(absl::UnavailableError("the driver stops"));
  CHECK(absl::IsUnavailable(*node.finished));
  CHECK(absl::IsUnavailable(*program.finished));
}

}  // namespace
}  // namespace twinkle::driver
