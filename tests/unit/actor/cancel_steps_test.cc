// Calls that are cancelled, or run out of time, at each step of their way.
#include <absl/strings/match.h>

#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using rpc::Stream;
using tests::CpuGroup;
using tests::DevicesGroup;
using tests::LaneOf;
using tests::ServiceOf;
using tests::StatusOf;

void HoldCalls(const TwoCallers& job) {
  for (int rank = 0; rank < TwoCallers::kRanks; ++rank) {
    job.network().Hold(rpc::kProgram, job.Id("policy", rank), Stream::kData);
  }
}
void ReleaseCalls(const TwoCallers& job) {
  for (int rank = 0; rank < TwoCallers::kRanks; ++rank) {
    job.network().Release(rpc::kProgram, job.Id("policy", rank), Stream::kData);
  }
}

TEST_CASE("a cancel overtakes its call, which is then answered without being run (HO1, CA4)") {
  TwoCallers job;
  HoldCalls(job);
  const Lazy<void> cancelled = job.recorder.Add("cancelled");
  job.Run();
  CHECK_FALSE(cancelled.Ready());
  cancelled.Cancel();
  job.Run();
  CHECK(absl::IsCancelled(StatusOf(cancelled)));  // its caller need not wait for the ranks
  ReleaseCalls(job);
  const Lazy<void> next = job.recorder.Add("next");
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.AllDid({"next"}));
  CHECK(job.IsIdle());
}

TEST_CASE("a call that is cancelled before it comes is not run, also with an argument that its rank has itself (HO1)") {
  Stage job({CpuGroup("pool", 1)});
  const auto recorder = job.Make<Recorder>("pool");
  const Lazy<std::vector<int64_t>> own = recorder.Numbers(20000);
  job.Run();
  REQUIRE(own.Ready());
  job.network().Hold(rpc::kProgram, job.Id("pool"), Stream::kData);
  const Lazy<void> cancelled = recorder.AddCount(own);
  job.Run();
  cancelled.Cancel();
  job.Run();
  CHECK(absl::IsCancelled(StatusOf(cancelled)));
  job.network().Release(rpc::kProgram, job.Id("pool"), Stream::kData);
  job.Run();
  CHECK(job.On("pool").empty());
  const Lazy<void> next = recorder.AddCount(own);
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.On("pool") == Texts{"20000"});
  CHECK(job.IsIdle());
}

TEST_CASE("a call that is cancelled in its lane's queue is skipped, its number used (CA2, HO1)") {
  TwoCallers job;
  const Lazy<void> cancelled = job.recorder.Add("cancelled");
  job.Run(job.lanes);
  const Lazy<void> next = job.recorder.Add("next");
  cancelled.Cancel();
  job.Run(job.lanes);
  CHECK(absl::IsCancelled(StatusOf(cancelled)));
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.AllDid({"next"}));
}

TEST_CASE("a call that is cancelled while it waits for an argument lets those behind it go (CA1)") {
  TwoCallers job;
  const auto source = job.Make<Recorder>("callers");
  job.Run();
  const Lazy<std::string> late = source.Text();
  const Lazy<void> waiting = job.recorder.Add(late);
  const Lazy<void> next = job.recorder.Add("next");
  job.Run({LaneOf(source)});
  CHECK_FALSE(next.Ready());
  waiting.Cancel();
  job.Run({LaneOf(source)});
  CHECK(absl::IsCancelled(StatusOf(waiting)));
  CHECK(StatusOf(next).ok());
  job.Run();
  CHECK(job.AllDid({"next"}));
}

TEST_CASE("the number of a call that is cancelled while it waits for one is skipped everywhere (DE2, SE2)") {
  TwoCallers job;
  job.relay.Say("c");  // from now on numbers are asked for one by one
  job.Run();
  job.network().Hold(job.Id("policy", 0), rpc::kProgram, Stream::kControl);
  const Lazy<void> cancelled = job.recorder.Add("cancelled");
  job.Run();
  cancelled.Cancel();
  job.Run();
  CHECK(absl::IsCancelled(StatusOf(cancelled)));
  job.network().Release(job.Id("policy", 0), rpc::kProgram, Stream::kControl);
  job.Run();
  job.relay.Say("c2");
  const Lazy<void> next = job.recorder.Add("p");
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.On("policy", 0).size() == 3);
  CHECK(job.AllDid(job.On("policy", 0)));
}

TEST_CASE("a call on a component whose construction was cancelled is answered with that (HO1)") {
  Stage job({CpuGroup("pool", 2), CpuGroup("source", 1)});
  const auto source = job.Make<Recorder>("source");
  job.Run();
  const auto recorder = job.Make<Recorder>("pool");
  const Lazy<void> call = recorder.Add("x");
  job.Run();
  CHECK(StatusOf(call).ok());
  recorder.component().Kill();
  const Lazy<void> later = recorder.Add("y");
  job.Run();
  CHECK(absl::IsAborted(StatusOf(later)));
}

TEST_CASE("cancelling a call that has ended changes nothing (LZ1)") {
  TwoCallers job;
  const Lazy<void> done = job.recorder.Add("done");
  job.Run();
  done.Cancel();
  job.Run();
  CHECK(StatusOf(done).ok());
  CHECK(job.AllDid({"done"}));
}

// ---- inside a method ---------------------------------------------------------------------------
TEST_CASE("a method that is under way when its call is cancelled sees it, and may finish") {
  TwoCallers job;
  const Lazy<void> call = job.recorder.Hook("begun");
  std::vector<bool> seen;
  Inside() = [&] {
    if (Context().rank() != 1) return;
    seen.push_back(Context().Cancelled());
    call.Cancel();
    job.Drain("program");
    job.Drain(ServiceOf("policy", 1));
    seen.push_back(Context().Cancelled());
  };
  job.Run();
  CHECK(seen == std::vector<bool>{false, true});
  CHECK(absl::IsCancelled(StatusOf(call)));
  const Lazy<void> next = job.recorder.Add("next");
  job.Run();
  CHECK(StatusOf(next).ok());
}

TEST_CASE("a method that does not leave within the grace after its call ended ends its group, and no other (HO3)") {
  TwoCallers job(/*abort_grace=*/absl::Seconds(5));
  const auto elsewhere = job.Make<Recorder>("callers");
  job.Run();
  const Lazy<void> call = job.recorder.Hook("begun");
  const Lazy<void> behind = job.recorder.Add("behind");
  Inside() = [&] {
    if (Context().rank() != 1) return;
    call.Cancel();
    job.Drain("program");
    job.Drain(ServiceOf("policy", 1));
    job.executor().Advance(absl::Seconds(5));
    job.Drain(ServiceOf("policy", 1));
  };
  job.Run();
  Inside() = nullptr;
  CHECK(absl::IsCancelled(StatusOf(call)));
  CHECK(absl::IsAborted(StatusOf(behind)));
  const Lazy<void> later = job.recorder.Add("later");
  const Lazy<void> fine = elsewhere.Add("fine");
  job.Run();
  CHECK(absl::IsAborted(StatusOf(later)));
  CHECK(absl::StrContains(StatusOf(later).message(), "it did not leave the method within 5s"));
  CHECK(StatusOf(fine).ok());
  CHECK(job.IsIdle());
}

TEST_CASE("a call that was skipped was never in its method: the grace does not end its group") {
  TwoCallers job(/*abort_grace=*/absl::Seconds(5));
  const Lazy<void> cancelled = job.recorder.Add("cancelled");
  job.Run(job.lanes);
  cancelled.Cancel();
  job.Run(job.lanes);
  job.executor().Advance(absl::Seconds(5));                   // the grace ends, and just then
  for (const std::string& lane : job.lanes) job.Drain(lane);  // the lanes come to it
  job.Run();
  const Lazy<void> next = job.recorder.Add("next");
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.AllDid({"next"}));
}

// ---- time limits -------------------------------------------------------------------------------
TEST_CASE("a call that is not done within its time limit fails with DeadlineExceeded; the component goes on") {
  TwoCallers job;
  const Lazy<void> late = job.recorder.Slow("late");
  job.Run(job.lanes);
  job.executor().Advance(absl::Seconds(1));
  job.Run(job.lanes);
  CHECK_FALSE(late.Ready());
  job.executor().Advance(absl::Seconds(1));
  job.Run(job.lanes);
  CHECK(absl::IsDeadlineExceeded(StatusOf(late)));
  CHECK(absl::StrContains(StatusOf(late).message(), "time limit of 2s"));
  const Lazy<void> next = job.recorder.Slow("next");
  job.Run();
  CHECK(StatusOf(next).ok());
  CHECK(job.AllDid({"next"}));
  job.executor().Advance(absl::Seconds(10));
  job.Run();
  CHECK(StatusOf(next).ok());  // its own limit came too late
}

TEST_CASE("the time limit begins when the arguments are known") {
  TwoCallers job;
  const auto source = job.Make<Recorder>("callers");
  job.Run();
  const Lazy<std::string> argument = source.Text();
  const Lazy<void> waiting = job.recorder.Slow(argument);
  job.Run({LaneOf(source)});
  job.executor().Advance(absl::Seconds(100));
  job.Run({LaneOf(source)});
  CHECK_FALSE(waiting.Ready());
  job.Run();
  CHECK(StatusOf(waiting).ok());
}

// ---- Kill --------------------------------------------------------------------------------------
TEST_CASE("Kill aborts all calls of the group, under way and later, also of other components and callers (HO3)") {
  TwoCallers job;
  const auto other = job.Make<Recorder>("policy");
  const auto elsewhere = job.Make<Recorder>("callers");
  job.Run();
  const Lazy<void> under_way = other.Add("under way");
  job.Run(job.lanes);
  job.recorder.component().Kill();
  job.Run();
  CHECK(absl::IsAborted(StatusOf(under_way)));
  CHECK(absl::StrContains(StatusOf(under_way).message(), "group 'policy' was aborted"));
  const Lazy<void> later = other.Add("later");
  const Lazy<void> through = job.relay.Say("c");
  const Lazy<void> fine = elsewhere.Add("fine");
  job.Run();
  CHECK(absl::IsAborted(StatusOf(later)));
  CHECK(StatusOf(through).ok());
  CHECK(StatusOf(fine).ok());
  CHECK(job.AllDid({}));
  CHECK(job.IsIdle());
}

TEST_CASE(
    "what its caller kills is Aborted before the ranks hear of it, and is no failure; later calls are one (CA6)") {
  TwoCallers job;
  const auto never_ready = job.Make<Recorder>("policy");
  const Lazy<void> under_way = job.recorder.Add("under way");
  job.recorder.component().Kill();
  job.Drain("program");
  CHECK(absl::IsAborted(StatusOf(under_way)));
  CHECK(absl::IsAborted(never_ready.component().WaitReady(absl::ZeroDuration())));
  job.Run();
  CHECK(job.program().failures().Close().ok());
  const Lazy<void> later = job.recorder.Add("later");
  job.Run();
  CHECK(later.Ready());
  CHECK(absl::IsAborted(job.program().failures().Close()));
}

}  // namespace
}  // namespace twinkle::actor::steps
