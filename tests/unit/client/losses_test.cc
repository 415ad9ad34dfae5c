#include "client/src/losses.h"

#include <absl/strings/match.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/driver_words.h"

namespace twinkle::internal {
namespace {

// A job of two ranks, and what its transport was told.
struct Job {
  std::shared_ptr<object::FailureLog> failures = std::make_shared<object::FailureLog>(nullptr, nullptr);
  std::vector<std::pair<rpc::ProcessId, absl::Status>> lost;
  Losses losses;

  void Begin() {
    Losses::Job job{kJob, {}, failures, [this](rpc::ProcessId process, const absl::Status& why) {
                      // It is entered before a call can fail of it (LO2).
                      entered = failures->LossOf(process) != nullptr;
                      lost.emplace_back(process, why);
                    }};
    for (int rank = 0; rank < 2; ++rank) {
      v1::Process& process = job.processes.emplace_back();
      process.set_id(RankId(rank));
      process.set_group("pool");
      process.set_rank(rank);
      process.mutable_place()->set_host("host");
      process.mutable_place()->set_pid(10 + rank);
    }
    losses.Begin(std::move(job));
  }
  // What comes while the job runs (LO1), or `before` that.
  void Hear(bool before, const std::function<void()>& come) {
    if (!before) Begin();
    come();
    if (before) Begin();
  }
  bool entered = false;
};

v1::PeersLost Lost(uint64_t job, rpc::ProcessId process, const std::string& cause) {
  v1::PeersLost lost;
  lost.set_job(job);
  lost.add_losses()->set_process(process);
  lost.mutable_losses(0)->set_cause(cause);
  return lost;
}

TEST_CASE("a rank that is gone is a failure until somebody looks at a call that failed of it (LO2)") {
  for (const bool before : {false, true}) {
    Job job;
    job.Hear(before, [&] { job.losses.OnLost(Lost(kJob, RankId(1), "it was killed by signal 9 (SIGKILL)")); });
    REQUIRE(job.lost.size() == 1);
    CHECK(job.lost[0].first == RankId(1));
    CHECK(job.entered);
    SECTION("nobody looked") {
      const absl::Status told = job.failures->Close();
      CHECK(absl::IsAborted(told));
      CHECK(told.message() ==
            "rank 1 of group 'pool' (host, pid 11) is gone, and its group with it: it was killed by signal 9 "
            "(SIGKILL)");
    }
    SECTION("somebody looked") {
      job.failures->Add(absl::AbortedError("a call"), {job.failures->LossOf(RankId(1))})->Look();
      CHECK(job.failures->Close().ok());
    }
  }
}

TEST_CASE("what a process of the job has asked for, and what is lost of another job, is no failure (LO1)") {
  Job job;
  job.Begin();
  v1::PeersLost asked = Lost(kJob, RankId(0), "group 'pool' was aborted: Policy.component().Kill()");
  asked.set_asked_for(true);
  job.losses.OnLost(asked);
  job.losses.OnLost(Lost(kJob + 1, base::ProcessIdOf(kJob + 1, 1), "its job has ended"));
  CHECK(job.lost.size() == 2);
  CHECK(job.failures->Close().ok());
}

TEST_CASE(
    "another job that ends with its program's session is no warning, and its processes are lost all the same (LO1)") {
  Job job;
  job.Begin();
  const Losses::Job facts{.number = kJob, .processes = {}, .failures = job.failures, .lose = nullptr};
  const rpc::ProcessId other = base::ProcessIdOf(kJob + 1, 1);
  v1::PeersLost ended = Lost(kJob + 1, other, "its job has ended");
  ended.set_at_end(true);
  job.losses.OnLost(ended);
  CHECK(job.lost ==
        std::vector<std::pair<rpc::ProcessId, absl::Status>>{{other, absl::UnavailableError("its job has ended")}});
  CHECK(Losses::LevelOf(facts, ended) == base::LogLevel::kInfo);
  ended.set_at_end(false);  // its program was killed
  CHECK(Losses::LevelOf(facts, ended) == base::LogLevel::kWarning);
  v1::PeersLost own = Lost(kJob, RankId(0), "it was killed by signal 11 (SIGSEGV)");
  own.set_at_end(true);
  CHECK(Losses::LevelOf(facts, own) == base::LogLevel::kWarning);
}

TEST_CASE("the end of the whole job is that of each rank, and told once, with the first reason (LO1, LO2)") {
  for (const bool before : {false, true}) {
    Job job;
    job.Hear(before, [&] {
      job.losses.OnJobLost(absl::CancelledError("job 7 was ended: it was stopped by a command"));
      job.losses.OnJobLost(absl::UnavailableError("the driver is gone"));
    });
    CHECK(job.lost.size() == 2);
    CHECK(job.failures->Close() == absl::CancelledError("job 7 was ended: it was stopped by a command"));
    CHECK(job.failures->Close().ok());
  }
}

TEST_CASE("a rank that fails at the end is told so; after the end nothing is") {
  Job job;
  job.Begin();
  v1::PeersLost at_end = Lost(kJob, RankId(0), "it was killed by signal 11 (SIGSEGV)");
  at_end.set_at_end(true);
  job.losses.OnLost(at_end);
  job.losses.End();
  job.losses.OnJobLost(absl::UnavailableError("the driver is gone"));
  CHECK(
      absl::StrContains(job.failures->Close().message(), "rank 0 of group 'pool' (host, pid 10) failed at its end: "));
  CHECK(job.lost.size() == 1);
}

}  // namespace
}  // namespace twinkle::internal
