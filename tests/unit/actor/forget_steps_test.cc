// What is kept of components and processes that are gone: little, and nobody waits for them.
#include <absl/strings/match.h>

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using rpc::Stream;
using tests::CpuGroup;
using tests::StatusOf;

TEST_CASE("components that come and go leave nothing behind but the word that the latest are gone") {
  Stage job({CpuGroup("pool", 2), CpuGroup("callers", 1)});
  const auto relay = job.Make<Relay>("callers");
  job.Run();
  constexpr int kMany = 10'000;
  for (int i = 0; i < kMany; ++i) {
    const auto recorder = job.Make<Recorder>("pool");
    if (i % 100 == 0) {  // also with a caller that did not make it, so that they share its order
      relay.Keep(recorder);
      relay.Say("x");
    }
    recorder.Add("y");
    job.Run();
    REQUIRE(recorder.component().Release().ok());
    job.Run();
    Journal().clear();
  }
  constexpr size_t kMostGone = 4096;
  CHECK(job.program().remembered() <= 2);  // of the relay's component
  CHECK(job.process("callers").remembered() <= 2);
  for (int rank = 0; rank < 2; ++rank) CHECK(job.process("pool", rank).remembered() <= kMostGone);
  CHECK(job.IsIdle());
}

TEST_CASE("a component that stays is called by anybody, however many came and went since it was made") {
  Stage job({CpuGroup("pool", 2), CpuGroup("callers", 1)});
  const auto stays = job.Make<Recorder>("pool");
  const auto relay = job.Make<Relay>("callers");
  job.Run();
  for (int i = 0; i < 5'000; ++i) {  // more than are known one by one
    const auto passing = job.Make<Recorder>("pool");
    job.Run();
    REQUIRE(passing.component().Release().ok());
    job.Run();
  }
  relay.Keep(stays);
  const Lazy<void> of_another = relay.Say("x");  // asks for numbers
  job.Run();
  CHECK(StatusOf(of_another).ok());
  const Lazy<void> own = stays.Add("y");
  job.Run();
  CHECK(StatusOf(own).ok());
  CHECK(job.On("pool", 1).size() == 2);
}

TEST_CASE("who calls a component that was released elsewhere is told so, whatever it knew of it") {
  const bool knew = GENERATE(true, false);
  CAPTURE(knew);
  Stage job({CpuGroup("pool", 2), CpuGroup("callers", 1)});
  const auto recorder = job.Make<Recorder>("pool");
  const auto relay = job.Make<Relay>("callers");
  relay.Keep(recorder);
  if (knew) relay.Say("before");
  job.Run();
  REQUIRE(recorder.component().Release().ok());
  job.Run();
  const Lazy<void> late = recorder.Add("late");
  relay.Say("late, too");
  relay.SayTo(1, "and alone");
  job.Run();
  CHECK(absl::IsFailedPrecondition(StatusOf(late)));
  CHECK(absl::StrContains(StatusOf(late).message(), "the component was released"));
  CHECK(job.IsIdle());
  CHECK(job.On("pool", 1) == (knew ? Texts{"before"} : Texts{}));
}

// "pool" on two ranks, and a rank that makes components there, whose word is held up.
struct Unmade : Stage {
  Unmade() : Stage({CpuGroup("pool", 2), CpuGroup("makers", 1)}) { Run(); }
  void Hold(int rank) const { network().Hold(Id("makers"), Id("pool", rank), Stream::kData); }
  const Remote<Relay> relay = Make<Relay>("makers");
};

TEST_CASE("calls on a component whose maker dies before it was constructed are answered, and its name is free (HO1)") {
  Unmade job;
  job.Hold(0);
  job.Hold(1);
  job.relay.Make("pool", "t");
  job.Run();
  const auto found = Find<Recorder>("t");
  REQUIRE(found.ok());
  const Lazy<void> before = found->Add("before");
  const Lazy<void> alone = found->Rank(1).Add("alone");
  job.Run();
  CHECK_FALSE(before.Ready());
  job.Kill("makers");
  job.Run();
  const Lazy<void> after = found->Add("after");
  job.Run();
  for (const Lazy<void>& call : {before, alone, after}) {
    CHECK(absl::IsAborted(StatusOf(call)));
    CHECK(absl::StrContains(StatusOf(call).message(), "the component was never constructed"));
    CHECK(absl::StrContains(StatusOf(call).message(), "makers.0 was killed"));
  }
  CHECK(absl::IsNotFound(Find<Recorder>("t").status()));
  CHECK(New<Recorder>({.remote_group = "pool", .name = "t"}).ok());
  job.Run();
  CHECK(job.program().CallsUnderWay(1).empty());
}

TEST_CASE("the name of a component whose maker dies before it was constructed is free, also when nobody called it") {
  Unmade job;
  job.Hold(0);
  job.Hold(1);
  job.relay.Make("pool", "t");
  job.Run();
  CHECK(Find<Recorder>("t").ok());
  job.Kill("makers");
  job.Run();
  CHECK(absl::IsNotFound(Find<Recorder>("t").status()));
  CHECK(New<Recorder>({.remote_group = "pool", .name = "t"}).ok());
  job.Run();
}

TEST_CASE("a component that was made on some ranks when its maker died is there on none (HO1)") {
  Unmade job;
  job.Hold(1);
  job.relay.Make("pool", "t");
  job.Run();
  const auto found = Find<Recorder>("t");
  REQUIRE(found.ok());
  const Lazy<void> before = found->Add("before");
  job.Run();
  job.Kill("makers");
  job.Run();
  const Lazy<void> after = found->Add("after");
  const Lazy<void> on_made = found->Rank(0).Add("on the rank that had it");
  job.Run();
  for (const Lazy<void>& call : {before, after, on_made}) {
    CHECK(absl::IsAborted(StatusOf(call)));
    CHECK(absl::StrContains(StatusOf(call).message(), "the component was never constructed"));
  }
  CHECK(absl::IsNotFound(Find<Recorder>("t").status()));
  const auto again = New<Recorder>({.remote_group = "pool", .name = "t"});
  REQUIRE(again.ok());
  const Lazy<void> fine = again->Add("fine");
  job.Run();
  CHECK(StatusOf(fine).ok());
  CHECK(job.On("pool", 1) == Texts{"fine"});
  CHECK(job.program().CallsUnderWay(1).empty());
}

TEST_CASE("a component that was made lives on when its maker dies") {
  Unmade job;
  job.relay.Make("pool", "t");
  job.Run();
  const auto found = Find<Recorder>("t");
  REQUIRE(found.ok());
  job.Kill("makers");
  job.Run();
  const Lazy<void> call = found->Add("x");
  job.Run();
  CHECK(StatusOf(call).ok());
  CHECK(job.On("pool", 1) == Texts{"x"});
}

}  // namespace
}  // namespace twinkle::actor::steps
