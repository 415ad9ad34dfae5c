// The ends of components and of jobs, with work under way.
#include <absl/strings/match.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using rpc::Stream;
using tests::CoreOf;
using tests::CpuGroup;
using tests::DevicesGroup;
using tests::LaneOf;
using tests::StatusOf;

// ---- components --------------------------------------------------------------------------------
TEST_CASE("calls made before Release run, later ones fail with FailedPrecondition, whenever they come (HO1)") {
  for (const bool devices : {false, true}) {
    Stage job({devices ? DevicesGroup("pool", 2) : CpuGroup("pool", 2)});
    const auto recorder = job.Make<Recorder>("pool");
    const Lazy<void> before = recorder.Add("before");
    CHECK(recorder.component().Release().ok());
    const Lazy<void> at_once = recorder.Add("at once");
    job.Run();
    const Lazy<void> later = recorder.Add("later");
    const Lazy<void> on_one = recorder.Rank(1).Add("on one");
    job.Run();
    CHECK(StatusOf(before).ok());
    for (const Lazy<void>& failed : {at_once, later, on_one}) {
      CHECK(absl::IsFailedPrecondition(StatusOf(failed)));
      CHECK(absl::StrContains(StatusOf(failed).message(), "released"));
    }
    for (int rank = 0; rank < 2; ++rank) CHECK(job.On("pool", rank) == Texts{"before"});
    CHECK(job.IsIdle());
  }
}

TEST_CASE("a component may be released twice (CA4)") {
  Stage job({CpuGroup("pool", 2), DevicesGroup("policy", 2)});
  for (const char* group : {"pool", "policy"}) {
    const auto recorder = job.Make<Recorder>(group);
    CHECK(recorder.component().Release().ok());
    CHECK(recorder.component().Release().ok());
    job.Run();
    CHECK(recorder.component().Release().ok());
    job.Run();
    CHECK(job.IsIdle());
  }
}

TEST_CASE("a released component does not disturb the others of its group (HO2)") {
  TwoCallers job;
  const auto other = job.Make<Recorder>("policy");
  job.Run();
  const Lazy<void> one = other.Add("other");
  CHECK(other.component().Release().ok());
  const Lazy<void> two = job.recorder.Add("after");
  job.relay.Say("c");
  job.Run();
  CHECK(StatusOf(one).ok());
  CHECK(StatusOf(two).ok());
  CHECK(job.On("policy", 0).size() == 3);
  CHECK(job.AllDid(job.On("policy", 0)));
}

TEST_CASE("a call that another process makes before the component is there waits for it (HO1, HO2)") {
  Stage job({CpuGroup("pool", 2), CpuGroup("callers", 1)});
  const auto relay = job.Make<Relay>("callers");
  job.Run();
  job.network().Hold(rpc::kProgram, job.Id("pool", 1), Stream::kData);
  const auto recorder = job.Make<Recorder>("pool");
  relay.Keep(recorder);
  relay.SayTo(1, "early");
  job.Run();
  CHECK(job.On("pool", 1).empty());
  job.network().Release(rpc::kProgram, job.Id("pool", 1), Stream::kData);
  job.Run();
  CHECK(job.On("pool", 1) == Texts{"early"});
  CHECK(job.IsIdle());
}

// ---- several threads ---------------------------------------------------------------------------
TEST_CASE(
    "with MaxConcurrency no method begins before construction has ended, and none is under way in Release (LA1)") {
  Stage job({CpuGroup("pool", 1)});
  const auto wide = job.Make<WideRecorder>("pool");
  const std::string first = LaneOf(wide) + ".0";
  const std::string second = LaneOf(wide) + ".1";
  const Lazy<void> a = wide.Add("a");
  const Lazy<void> b = wide.Add("b");
  job.Run({first, second});
  CHECK_FALSE(job.executor().Step(second));  // the constructor has not run
  CHECK(job.executor().Step(first));
  job.Run({first, second});
  CHECK(job.executor().Step(first));
  CHECK(job.executor().Step(second));  // now two at once
  job.Run();
  CHECK(StatusOf(a).ok());
  CHECK(StatusOf(b).ok());
  const Lazy<void> c = wide.Add("c");
  CHECK(wide.component().Release().ok());
  job.Run({first, second});
  CHECK_FALSE(job.executor().Step(second));  // the destructor waits for c
  job.Run();
  CHECK(StatusOf(c).ok());
  CHECK(job.On("pool").size() == 3);
}

// ---- jobs --------------------------------------------------------------------------------------
TEST_CASE("whatever is under way when the job ends settles with Cancelled (CA4, HO1, OX1)") {
  TwoCallers job;
  const auto source = job.Make<Recorder>("callers");
  const Lazy<std::vector<int64_t>> big = source.Numbers(20000);
  job.Run();
  REQUIRE(StatusOf(big).ok());
  const Lazy<std::string> late = source.Text();
  const Lazy<void> in_the_outbox = job.recorder.Add(late);
  job.Run({LaneOf(source)});
  const auto other = job.Make<Recorder>("policy");
  const Lazy<void> in_the_lane = other.Add("x");
  job.Run({job.lanes[0], job.lanes[1], job.lanes[2], LaneOf(source)});
  const Lazy<void> not_looked_at = other.Add("y");
  int answered = 0;
  CoreOf(big).OnAnswered([&] { ++answered; });
  job.Shutdown();
  for (const Lazy<void>& call : {in_the_outbox, in_the_lane, not_looked_at}) {
    CHECK(absl::IsCancelled(StatusOf(call)));
    CHECK(absl::StrContains(StatusOf(call).message(), "the session has ended"));
  }
  CHECK(absl::IsCancelled(StatusOf(late)));
  CHECK(answered == 1);
  CHECK(absl::IsCancelled(StatusOf(big)));
  CHECK(job.AllDid({}));
}

TEST_CASE("calls, objects and handles after the end of the job fail with Cancelled (CA4)") {
  TwoCallers job;
  const auto source = job.Make<Recorder>("callers");
  const Lazy<std::vector<int64_t>> big = source.Numbers(20000);
  job.Run();
  job.Shutdown();
  const Lazy<void> call = job.recorder.Add("x");
  CHECK(absl::IsCancelled(StatusOf(call)));
  CHECK(absl::IsCancelled(big.Get().status()));
  CHECK(job.IsIdle());
}

// Processes that are still there once nobody needs them.
template <class Use>
size_t LeftOver(Use&& use) {
  std::vector<std::weak_ptr<Process>> processes;
  {
    TwoCallers job;
    for (const auto& process : job.Processes()) processes.push_back(process);
    use(job);
  }
  size_t left = 0;
  for (const auto& process : processes) left += process.expired() ? 0 : 1;
  return left;
}

TEST_CASE("nothing of a job is left when it has ended, whatever was under way") {
  CHECK(LeftOver([](TwoCallers& job) {
          job.recorder.Add("x");
          job.Run();
        }) == 0);
  CHECK(LeftOver([](TwoCallers& job) { job.recorder.Add("not looked at"); }) == 0);
  CHECK(LeftOver([](TwoCallers& job) {
          job.recorder.Add("in the lane");
          job.Run(job.lanes);
        }) == 0);
  CHECK(LeftOver([](TwoCallers& job) {
          job.recorder.component().Kill();
          job.recorder.Add("aborted");
          job.Run();
        }) == 0);
  CHECK(LeftOver([](TwoCallers& job) {
          const auto source = job.Make<Recorder>("callers");
          job.Run();
          job.recorder.Add(source.Text());
          job.Run({LaneOf(source)});
        }) == 0);
}

TEST_CASE("so it is when a call waits for a number that never comes (OG1)") {
  CHECK(LeftOver([](TwoCallers& job) {
          job.network().Hold(job.Id("callers"), job.Id("policy", 1), Stream::kData);
          job.relay.Say("held up");
          job.Run(job.lanes);
          job.recorder.Add("behind it");
          job.Run(job.lanes);
        }) == 0);
}

}  // namespace
}  // namespace twinkle::actor::steps
