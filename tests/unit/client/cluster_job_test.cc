// The program's side of a job, in a world where the driver and the ranks do what the test says.
#include "client/src/cluster_job.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/driver_words.h"
#include "tests/unit/client/fake_world.h"

namespace twinkle::internal {
namespace {

using Names = std::vector<std::string>;
using From = actor::Account::From;

// A driver does what it should, up to that word of the program; about it the test decides.
enum class UpTo { kSubmit, kListens, kFinish, kEnd };

class JobStage {
 public:
  explicit JobStage(UpTo up_to = UpTo::kEnd, int ranks = 0) : ranks_(static_cast<size_t>(ranks)) {
    world.script = [this, up_to](const v1::ProgramToDriver& said) {
      if (said.has_submit()) Answer(up_to > UpTo::kSubmit, Placed());
      if (said.has_listens()) Answer(up_to > UpTo::kListens, Peers(std::vector<std::string>(ranks_, "socket")));
      if (said.has_finish()) Answer(up_to > UpTo::kFinish, Ended());
    };
    options.driver = "gpu-1:7077";
    options.abort_grace = absl::Seconds(1);
    if (ranks > 0) options.groups = {{.name = "pool", .ranks = ranks, .device_type = "cpu"}};
  }

  absl::Status Start() {
    auto started = ClusterJob::Start(options, limits, world.World());
    if (started.ok()) job = *std::move(started);
    return started.status();
  }
  // As Finish.
  absl::Status Finish() {
    job->Shutdown(absl::CancelledError("the session has ended"));
    return job->CloseFailures();
  }
  InitializeOptions options;
  ClusterLimits limits;
  FakeWorld world;
  std::unique_ptr<ClusterJob> job;
  std::function<void()> instead;  // of an answer that is not given

 private:
  void Answer(bool as_it_should, const v1::DriverToProgram& message) {
    if (as_it_should) return world.Say(message);
    if (instead) instead();
  }
  const size_t ranks_;
};

// ---- a job as it should be
TEST_CASE("a job begins and ends in the order of its phases") {
  JobStage stage;
  REQUIRE(stage.Start().ok());
  CHECK(stage.job->WaitForCalls(stage.world.Now() + absl::Seconds(5)));
  CHECK(stage.Finish().ok());
  CHECK(stage.world.done == Names{"starts", "connects", "listens", "joins", "cancels", "ends"});
  REQUIRE(stage.world.said.size() == 3);
  CHECK(stage.world.said[0].submit().program().arguments_size() > 0);
  CHECK(stage.world.said[1].listens().endpoint().socket() == "unix-abstract:program");
  CHECK(stage.world.said[2].finish().grace_ms() == 1000);
  CHECK(stage.world.Now() == base::Instant());  // nothing was waited for
}

TEST_CASE("ranks are where the driver has placed them") {
  JobStage stage(UpTo::kEnd, 2);
  stage.world.script = [&](const v1::ProgramToDriver& said) {
    v1::DriverToProgram placed = Placed();
    for (int rank = 0; rank < 2; ++rank) {
      v1::Process& process = *placed.mutable_placed()->add_processes();
      process.set_id(RankId(rank));
      process.mutable_place()->set_node("gpu-" + std::to_string(rank));
    }
    if (said.has_submit()) stage.world.Say(placed);
    if (said.has_listens()) stage.world.Say(Peers({"a", "b"}));
  };
  REQUIRE(stage.Start().ok());
  const auto groups = stage.job->Placed();
  REQUIRE(groups.size() == 1);
  REQUIRE(groups[0].ranks.size() == 2);
  CHECK(groups[0].ranks[1].node == "gpu-1");
  CHECK(groups[0].ranks[1].process == "host, pid 11");
}

TEST_CASE("what makes no sense is refused before anything is started") {
  JobStage stage;
  stage.options.groups = {{.name = "pool", .ranks = 0, .device_type = "cpu"}};
  CHECK(absl::IsInvalidArgument(stage.Start()));
  CHECK(stage.world.done == Names{"ends"});
}

// ---- the driver ends it
TEST_CASE("Initialize hears why the driver has dropped the job, whenever it does") {
  for (const UpTo up_to : {UpTo::kSubmit, UpTo::kListens}) {
    JobStage stage(up_to);
    stage.instead = [&] {
      stage.world.Say(Ended(absl::StatusCode::kCancelled, "node 1 sees that its program has ended"));
    };
    CHECK(stage.Start() == absl::CancelledError("node 1 sees that its program has ended"));
    CHECK(stage.world.done.back() == "ends");
  }
}

TEST_CASE("Initialize hears that the driver is gone, whenever it goes") {
  for (const UpTo up_to : {UpTo::kSubmit, UpTo::kListens}) {
    JobStage stage(up_to);
    stage.instead = [&] { stage.world.Break(absl::UnavailableError("the other side closed the connection")); };
    CHECK(stage.Start() ==
          absl::UnavailableError("the driver at gpu-1:7077 is gone: the other side closed the connection"));
    CHECK(stage.world.done.back() == "ends");
  }
}

TEST_CASE("a job that has been ended does not end with OK") {
  JobStage stage;
  REQUIRE(stage.Start().ok());
  stage.world.Say(Ended(absl::StatusCode::kCancelled, "it was stopped by a command"));
  stage.world.Break(absl::OkStatus());
  CHECK(stage.Finish() == absl::CancelledError("job 7 was ended: it was stopped by a command"));
}

TEST_CASE("a driver that stops says so, and that is what Finish tells, whenever it stops") {
  for (const UpTo up_to : {UpTo::kEnd, UpTo::kFinish}) {
    JobStage stage(up_to);
    const auto stops = [&] { stage.world.Break(absl::UnavailableError("the driver stops")); };
    stage.instead = stops;
    REQUIRE(stage.Start().ok());
    if (up_to == UpTo::kEnd) stops();
    CHECK(stage.Finish() == absl::UnavailableError("the driver at gpu-1:7077 is gone: the driver stops"));
    CHECK(stage.world.Now() == base::Instant());
  }
}

// ---- the driver falls silent
TEST_CASE("a driver that is silent while a job waits for room is waited for a little longer than it was to wait") {
  JobStage stage(UpTo::kSubmit);
  stage.options.placement_timeout = absl::Minutes(2);
  const absl::Status told = stage.Start();
  CHECK(absl::IsDeadlineExceeded(told));
  CHECK(absl::StrContains(told.message(), "has not said where the job was placed in time"));
  CHECK(stage.world.Now() - base::Instant() == absl::Minutes(2) + stage.limits.placement_margin);
}

TEST_CASE("a driver that is silent while a job starts is waited for as long as any job may take to start") {
  JobStage stage(UpTo::kListens);
  const absl::Status told = stage.Start();
  CHECK(absl::IsDeadlineExceeded(told));
  CHECK(absl::StrContains(told.message(), "has not said that the job's processes have started in time"));
  CHECK(stage.world.Now() - base::Instant() == stage.limits.start);
}

TEST_CASE("a driver that is silent while a job runs harms nobody") {
  JobStage stage;
  REQUIRE(stage.Start().ok());
  stage.world.After(absl::Hours(24), [] {});
  stage.world.World()->AwaitNews(base::kForever);
  CHECK(stage.world.Now() - base::Instant() == absl::Hours(24));
  CHECK(stage.Finish().ok());
}

TEST_CASE("a driver that does not confirm the end is waited for no longer than its limit, and told of") {
  JobStage stage(UpTo::kFinish, 2);
  REQUIRE(stage.Start().ok());
  CHECK(stage.Finish() == absl::UnavailableError("the driver at gpu-1:7077 has not said that the job has ended: its "
                                                 "ranks may still run"));
  CHECK(stage.world.Now() - base::Instant() ==
        stage.options.abort_grace + stage.limits.end_margin + 2 * base::kRankMargin);
  CHECK(stage.world.done.back() == "ends");
}

// ---- the session's own services
TEST_CASE("Initialize hears that a service of the session has ended, when it does") {
  const absl::Status gone = absl::UnavailableError("the private cluster's twinkle-worker has ended");
  for (const UpTo up_to : {UpTo::kSubmit, UpTo::kListens}) {
    JobStage stage(up_to);
    stage.world.After(absl::Seconds(3), [&] { stage.world.services = gone; });
    CHECK(stage.Start() == gone);
    CHECK(stage.world.Now() - base::Instant() == absl::Seconds(3));
    CHECK(stage.world.done.back() == "ends");
  }
}

TEST_CASE("a job that runs hears of its services by the driver, which says it or is gone") {
  for (const UpTo up_to : {UpTo::kEnd, UpTo::kFinish}) {
    JobStage stage(up_to);
    REQUIRE(stage.Start().ok());
    stage.world.services = absl::UnavailableError("the private cluster's twinkle-driver has ended");
    const auto goes = [&] { stage.world.Break(absl::UnavailableError("the other side closed the connection")); };
    stage.instead = [&] { stage.world.After(absl::Milliseconds(50), goes); };
    if (up_to == UpTo::kEnd) goes();
    CHECK(absl::IsUnavailable(stage.Finish()));
    CHECK(stage.world.Now() - base::Instant() <= absl::Milliseconds(50));
  }
}

TEST_CASE("what cannot be had for a job is what Initialize says, and what was begun ends") {
  const absl::Status why = absl::ResourceExhaustedError("no threads");
  const std::pair<absl::Status FakeWorld::*, Names> refusals[] = {
      {&FakeWorld::no_driver, {"starts", "ends"}},
      {&FakeWorld::no_answer, {"starts", "connects", "ends"}},
      {&FakeWorld::no_listening, {"starts", "connects", "listens", "cancels", "ends"}},
      {&FakeWorld::no_part, {"starts", "connects", "listens", "joins", "cancels", "ends"}},
  };
  for (const auto& [refusal, done] : refusals) {
    JobStage stage;
    stage.world.*refusal = why;
    CHECK(stage.Start() == why);
    CHECK(stage.world.done == done);
  }
}

// ---- ranks
TEST_CASE("ranks that do not answer cost their time once, all of them together") {
  JobStage stage(UpTo::kEnd, 3);
  stage.world.account = [](rpc::ProcessId rank, bool) {
    return actor::Account{.from = rank == RankId(1) ? From::kProcess : From::kNobody};
  };
  REQUIRE(stage.Start().ok());
  CHECK(stage.job->WaitForCalls(stage.world.Now() + absl::Seconds(20)));
  CHECK(stage.job->CallsUnderWay(3).empty());
  CHECK(stage.Finish().ok());
  const auto times = [&](int rank) {
    return std::count(stage.world.asked.begin(), stage.world.asked.end(), RankId(rank));
  };
  CHECK(times(0) == 1);
  CHECK(times(1) > 1);
  CHECK(times(2) == 1);
}

TEST_CASE("calls of ranks are waited for, and looked after less and less often") {
  JobStage stage(UpTo::kEnd, 1);
  stage.world.account = [&](rpc::ProcessId, bool) {
    actor::Account account{.from = From::kProcess};
    account.calls_under_way = {"Policy.step() at train.cc:31"};
    return account;
  };
  REQUIRE(stage.Start().ok());
  const base::Instant deadline = stage.world.Now() + absl::Seconds(10);
  CHECK_FALSE(stage.job->WaitForCalls(deadline));
  CHECK(stage.world.Now() == deadline);
  CHECK(stage.world.asked.size() < 120);  // each tenth of a second, in the end
  CHECK(stage.job->CallsUnderWay(3) == Names{"Policy.step() at train.cc:31"});
}

TEST_CASE("calls that ranks make while they are asked are waited for, too") {
  JobStage stage(UpTo::kEnd, 2);
  int asked = 0;
  stage.world.account = [&](rpc::ProcessId rank, bool) {
    actor::Account account{.from = From::kProcess};
    if (rank == RankId(0)) ++asked;
    if (rank == RankId(1) && asked < 3) account.calls_under_way = {"Policy.step() at train.cc:31"};
    account.calls_made = static_cast<uint64_t>(std::min(asked, 5));  // a call hops between the two
    return account;
  };
  REQUIRE(stage.Start().ok());
  CHECK(stage.job->WaitForCalls(stage.world.Now() + absl::Seconds(10)));
  CHECK(asked == 6);  // twice the same in a row
}

TEST_CASE("a failure that nobody has looked at in a rank is what Finish tells") {
  JobStage stage(UpTo::kEnd, 2);
  stage.world.account = [&](rpc::ProcessId rank, bool close) {
    actor::Account account{.from = From::kProcess};
    if (close) account.unread_failure = absl::InternalError(rank == RankId(0) ? "the first" : "the second");
    return account;
  };
  REQUIRE(stage.Start().ok());
  CHECK(stage.Finish() == absl::InternalError("the first"));
}

TEST_CASE("ranks that are lost while a job starts are lost when it runs; and later ones when it is said") {
  JobStage stage(UpTo::kListens, 2);
  stage.instead = [&] {
    stage.world.Say(RankLost(0, "it was killed by signal 9 (SIGKILL)"));
    stage.world.Say(Peers({"a", "b"}));
  };
  REQUIRE(stage.Start().ok());
  REQUIRE(stage.world.lost.size() == 1);
  CHECK(stage.world.lost[0].first == RankId(0));
  stage.world.Say(RankLost(1, "it has ended with 1"));
  stage.world.World()->AwaitNews(stage.world.Now());
  REQUIRE(stage.world.lost.size() == 2);
  CHECK(stage.world.lost[1] == std::pair(RankId(1), absl::UnavailableError("it has ended with 1")));
}

TEST_CASE("a group that the program gives up is ended by the driver, which hears why") {
  JobStage stage(UpTo::kEnd, 1);
  REQUIRE(stage.Start().ok());
  stage.world.end_group(RankId(0), "pool", absl::UnavailableError("they cannot reach each other"));
  const v1::EndGroup& end = stage.world.said.back().end_group();
  CHECK(end.job() == kJob);
  CHECK(end.group() == "pool");
  CHECK(end.cause() == "they cannot reach each other");
  CHECK(end.cut());
  stage.world.end_group(RankId(0), "pool", absl::AbortedError("Policy.component().Kill()"));
  CHECK_FALSE(stage.world.said.back().end_group().cut());
}

}  // namespace
}  // namespace twinkle::internal
