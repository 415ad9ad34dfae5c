// The rows of the table of failures in docs/errors.md for which a program alone does not do, each provoked: a process
// that dies between two of its messages, one that sends what is no message, and drivers and machines that are silent.
#include <absl/strings/str_cat.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/src/session_state.h"
#include "runtime/rpc/protocol.h"
#include "tests/integration/client/fake_driver.h"
#include "tests/integration/cluster/provokers.h"
#include "tests/support/catch.h"
#include "tests/support/error_table.h"
#include "tests/support/wire.h"
#include "tests/unit/actor/liar.h"
#include "tests/unit/actor/steps.h"
#include "tests/unit/driver/cluster.h"

namespace twinkle::internal {
namespace {

using actor::steps::Recorder;
using tests::Statuses;

constexpr absl::Duration kLong = absl::Seconds(60);

// ---- jobs that are stepped
Statuses MakerIsGone() {
  actor::steps::Stage job({tests::CpuGroup("pool", 1), tests::CpuGroup("makers", 1)});
  const auto relay = job.Make<actor::steps::Relay>("makers");
  job.Run();
  job.network().Hold(job.Id("makers"), job.Id("pool"), rpc::Stream::kData);
  relay.Make("pool", "made");
  job.Run();
  const auto found = Find<Recorder>("made");
  REQUIRE(found.ok());
  const Lazy<void> before = found->Add("before");
  job.Run();
  job.Kill("makers");
  job.Run();
  const Lazy<void> after = found->Add("after");
  job.Run();
  return {tests::StatusOf(before), tests::StatusOf(after)};
}

Statuses SaysWhatIsNoMessage() {
  actor::steps::Stage job({tests::CpuGroup("liar", 1)});
  const actor::steps::Liar liar(job, job.Id("liar"), "garbage");
  const auto recorder = job.Make<Recorder>("liar");
  const Lazy<void> call = recorder.Add("x");
  job.Run();
  return {tests::StatusOf(call)};
}

// ---- jobs on a cluster
// As Initialize makes it, and Finish ends it.
class Installed {
 public:
  Installed(const InitializeOptions& options, const ClusterLimits& limits = {}) {
    auto job = ClusterJob::Start(options, limits);
    INFO(job.status());
    REQUIRE(job.ok());
    state_ = std::make_shared<SessionState>(options, *std::move(job));
    REQUIRE(SessionState::Install(state_));
  }
  ~Installed() {
    state_->EndNow(absl::CancelledError("the session has ended"));
    SessionState::Remove(state_.get());
  }
  Installed(const Installed&) = delete;
  Installed& operator=(const Installed&) = delete;

 private:
  std::shared_ptr<SessionState> state_;
};

Statuses NoDriver() {
  const FakeDriver driver(Good());  // for its token
  InitializeOptions options = driver.Options();
  options.driver = "127.0.0.1:1";
  return {ClusterJob::Start(options, {.connect = absl::Milliseconds(50)}).status()};
}

Statuses DriverSaysNothingMore() {
  const FakeDriver broken([](FakeDriver::Stream& stream, const v1::ProgramToDriver&) {
    stream.Finish(absl::UnavailableError("keepalive watchdog timeout"));
  });
  Statuses told = {broken.Start().status()};
  const FakeDriver silent([](FakeDriver::Stream&, const v1::ProgramToDriver&) {});
  InitializeOptions options = silent.Options();
  options.placement_timeout = absl::Milliseconds(10);
  told.push_back(ClusterJob::Start(options, {.placement_margin = absl::Milliseconds(40)}).status());
  return told;
}

// Decides as the driver does, for one job on a node whose machine is another; its ranks listen at these ports.
class Deciding {
 public:
  explicit Deciding(std::vector<int> ports) : ports_(std::move(ports)) {
    v1::NodeDescription node = driver::NodeOf("gpu-2", static_cast<int>(ports_.size()), 0);
    node.clear_endpoint();
    node_ = cluster_.state.NodeJoined(node, cluster_.now, &cluster_.effects);
  }
  static constexpr driver::JobNumber kFirstJob = 1;
  static rpc::ProcessId Rank(uint32_t rank) { return base::ProcessIdOf(kFirstJob, rank + 1); }
  static std::string Secret() { return "secret-1"; }

  void operator()(FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
    if (message.has_submit()) cluster_.Submit(message.submit());
    if (message.has_listens()) Listen(message.listens());
    if (message.has_end_group()) {
      const v1::EndGroup& end = message.end_group();
      cluster_.state.EndGroup(end.job(), end, &cluster_.effects);
    }
    if (message.has_finish()) stream.Write(Ended());
    for (v1::DriverToProgram& told : cluster_.ToJob(kFirstJob)) stream.Write(std::move(told));
    cluster_.Take();
  }

 private:
  void Listen(const v1::ProgramListens& program) {
    cluster_.state.ProgramListens(kFirstJob, program, &cluster_.effects);
    for (uint32_t rank = 0; rank < ports_.size(); ++rank) {
      v1::ProcessListens listens;
      listens.set_job(kFirstJob);
      listens.set_process(Rank(rank));
      listens.set_pid(static_cast<int>(100 + rank));
      listens.mutable_endpoint()->set_address(absl::StrCat("127.0.0.1:", ports_[rank]));
      cluster_.state.ProcessListens(node_, listens, &cluster_.effects);
    }
  }

  const std::vector<int> ports_;
  driver::Cluster cluster_;
  driver::NodeId node_ = 0;
};

Statuses CannotReachEachOther() {
  ::setenv("TWINKLE_HOST", "127.0.0.1", 1);  // where the program listens for another machine
  const SilentRank far(Deciding::Rank(0), Deciding::Secret()), fine(Deciding::Rank(1), Deciding::Secret());
  rpc::Wire wire(far.port());
  Deciding decides({wire.port(), fine.port()});
  const FakeDriver driver(std::ref(decides));
  const Installed job(driver.Options({tests::CpuGroup("pool", 2)}),
                      {.wires = {.redial = {.silence = absl::Milliseconds(200)}}});
  ::unsetenv("TWINKLE_HOST");
  const auto recorder = New<Recorder>({.remote_group = "pool"});
  REQUIRE(recorder.ok());
  const Lazy<void> call = recorder->Rank(1).Add("under way");
  REQUIRE(far.WasCalled());
  wire.Vanish();
  const absl::Status told = call.Wait(kLong);
  return {told, recorder->Rank(0).Add("later").Wait(kLong), recorder->Rank(1).Add("later").Wait(kLong)};
}

Statuses FoundOutOfReach() {
  FakeDriver driver(Good());
  v1::Process& process = *driver.found.add_processes();
  process.set_group("policy");
  process.mutable_place()->set_machine("another");
  process.mutable_place()->set_host("gpu-2");
  process.mutable_place()->set_node("gpu-2");
  process.mutable_place()->set_pid(977);
  process.mutable_endpoint()->set_socket("unix-abstract:there");
  const Installed job(driver.Options());
  return {Find<Recorder>("policy").status()};
}

// What a driver of this build says to a program of another one.
Statuses AnotherProtocol() {
  const FakeDriver driver([](FakeDriver::Stream& stream, const v1::ProgramToDriver&) {
    stream.Finish(rpc::CheckProtocol("this twinkle-driver", "who calls it", "2"));
  });
  return {driver.Start().status()};
}

// ---- the table
const tests::Provokers& All() {
  static const tests::Provokers all = {
      {"the process that was to construct a component is gone", {MakerIsGone, {"node1, pid 4711"}}},
      {"a process sends what is no message (another build of the library, say)", {SaysWhatIsNoMessage}},
      {"no driver there", {NoDriver}},
      {"the driver says nothing more while a job waits or starts", {DriverSaysNothingMore}},
      {"two processes of a job live, and cannot reach each other for more than 6 s after their connection broke",
       {CannotReachEachOther}},
      {"`Find` of a component on another machine, whose node has no `--host`", {FoundOutOfReach}},
      {"builds of Twinkle that speak different protocols", {AnotherProtocol}},
  };
  return all;
}

TEST_CASE("rows of the table of failures that a program alone does not provoke are as the library says") {
  for (const tests::ErrorRow& row : tests::ReadErrorTable(TWINKLE_ERRORS, "Every failure")) {
    const auto provoker = All().find(row.event);
    if (provoker == All().end()) continue;
    DYNAMIC_SECTION(row.event) { tests::CheckProvoked(row, provoker->second); }
  }
}

TEST_CASE("they are those that the test of the whole table leaves to this one") {
  std::set<std::string> provoked;
  for (const auto& [event, provoker] : All()) provoked.insert(event);
  CHECK(provoked == tests::RowsFromInside());
}

}  // namespace
}  // namespace twinkle::internal
