// What becomes of calls and objects when a process is lost at the worst moment.
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
using tests::LanesOf;
using tests::StatusOf;

// ---- callers -----------------------------------------------------------------------------------
TEST_CASE("a call whose caller dies before all ranks have it is skipped on all; others' calls go on (SE2, CA2)") {
  TwoCallers job;
  job.network().Hold(job.Id("callers"), job.Id("policy", 1), Stream::kData);
  const Lazy<void> said = job.relay.Say("lost");
  job.Run(job.lanes);
  CHECK(StatusOf(said).ok());  // it only makes the call
  const Lazy<void> after = job.recorder.Add("after");
  job.Run(job.lanes);
  CHECK_FALSE(after.Ready());  // rank 1 waits for the number before
  job.Kill("callers");
  job.Run(job.lanes);  // the number is settled while the lanes stand still
  job.Run();
  CHECK(StatusOf(after).ok());
  CHECK(job.AllDid({"after"}));
  const Lazy<void> more = job.recorder.Add("more");
  job.Run();
  CHECK(StatusOf(more).ok());
  CHECK(job.AllDid({"after", "more"}));
  CHECK(job.program().CallsUnderWay(1).empty());
}

TEST_CASE("so it is when the dead caller had all numbers to itself (SE2)") {
  Stage job({DevicesGroup("policy", 3), CpuGroup("callers", 1)});
  const auto relay = job.Make<Relay>("callers");
  relay.Make("policy", "recorder");  // the relay is the first to ask for numbers
  job.Run();
  job.network().Hold(job.Id("callers"), job.Id("policy", 1), Stream::kData);
  relay.Say("lost");
  job.Run(LanesOf("policy", 3));
  const auto recorder = Find<Recorder>("recorder");
  REQUIRE(recorder.ok());
  const Lazy<void> after = recorder->Add("after");
  job.Run(LanesOf("policy", 3));
  CHECK(StatusOf(after).ok() == false);
  job.Kill("callers");
  job.Run(LanesOf("policy", 3));
  job.Run();
  CHECK(StatusOf(after).ok());
  for (int rank = 0; rank < 3; ++rank) CHECK(job.On("policy", rank) == Texts{"after"});
}

TEST_CASE("a call that all ranks have runs although its caller is dead (SE2)") {
  TwoCallers job;
  job.relay.Say("sent");
  job.Run(job.lanes);
  job.Kill("callers");
  job.Run(job.lanes);
  job.Run();
  CHECK(job.AllDid({"sent"}));
  const Lazy<void> after = job.recorder.Add("after");
  job.Run();
  CHECK(job.AllDid({"sent", "after"}));
}

TEST_CASE("a call on some ranks of the group counts as arrived on the others, which were told to skip it (SE2)") {
  Stage job({DevicesGroup("policy", 4), CpuGroup("callers", 2)});
  const auto relay = job.Make<Relay>("callers");
  relay.Rank(0).MakePeers("policy");  // on ranks 0 and 1: the share of caller 0 of 2
  job.Run();
  relay.Rank(0).SayToPeers("sent");
  job.Run(LanesOf("policy", 4));
  job.Kill("callers", 0);
  job.Run(LanesOf("policy", 4));
  job.Run();
  CHECK(job.On("policy", 0) == Texts{"sent"});
  CHECK(job.On("policy", 1) == Texts{"sent"});
  CHECK(job.On("policy", 2).empty());
  const auto recorder = job.Make<Recorder>("policy");
  const Lazy<void> after = recorder.Add("after");
  job.Run();
  CHECK(StatusOf(after).ok());
  CHECK(job.On("policy", 3) == Texts{"after"});
}

TEST_CASE("a caller that dies while it waits for numbers leaves none behind (SE2)") {
  TwoCallers job;
  job.network().Hold(job.Id("policy", 0), job.Id("callers"), Stream::kControl);  // the grant does not reach it
  job.relay.Say("never");
  job.Run();
  job.Kill("callers");
  job.Run();
  const Lazy<void> after = job.recorder.Add("after");
  job.Run();
  CHECK(StatusOf(after).ok());
  CHECK(job.AllDid({"after"}));
}

TEST_CASE("whenever the caller dies, all ranks run the same calls in the same order (SE2)") {
  const uint64_t seed = tests::Seed();
  tests::Random random(seed);
  for (int round = 0; round < 60; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    TwoCallers job;
    std::vector<Lazy<void>> calls;
    for (int i = 0; i < 5; ++i) {
      job.relay.Say("c" + std::to_string(i));
      calls.push_back(job.recorder.Add("p" + std::to_string(i)));
      std::vector<std::string> ready = job.executor().Ready();  // the lanes stand still
      for (int step = tests::Below(random, 40); step > 0 && !ready.empty(); --step) {
        const std::string& name = ready[random() % ready.size()];
        const bool is_lane = std::find(job.lanes.begin(), job.lanes.end(), name) != job.lanes.end();
        if (!is_lane) job.executor().Step(name);
        ready = job.executor().Ready();
      }
    }
    job.Kill("callers");
    job.Run(job.lanes);
    job.Run();
    const Texts order = job.On("policy", 0);
    CHECK(job.AllDid(order));
    for (const Lazy<void>& call : calls) CHECK(StatusOf(call).ok());
  }
}

// ---- constructors ------------------------------------------------------------------------------
TEST_CASE(
    "who looks at a call that failed of a loss has looked at its constructor, whose reply was lost with the rank") {
  for (int round = 0; round < 16; ++round) {  // whatever the order in which the caller finds the two
    Stage job({CpuGroup("policy", 2)});
    job.network().Hold(job.Id("policy", 1), rpc::kProgram, Stream::kData);
    const auto recorder = job.Make<Recorder>("policy");
    const Lazy<void> call = recorder.Rank(1).Add("x");
    job.Run();
    CHECK_FALSE(call.Ready());
    const std::vector<rpc::ProcessId> lost = {job.Id("policy", 1)};
    job.program().failures().AddLoss(lost, absl::AbortedError("rank 1 is gone"));
    job.Kill("policy", 1);
    job.Run();
    REQUIRE(call.Ready());
    CHECK(absl::IsAborted(call.Wait(absl::ZeroDuration())));
    CHECK(job.program().failures().Close().ok());
  }
}

// ---- losses that ranks look at -------------------------------------------------------------------
// A call of "callers" has failed because rank 1 of "policy" is gone, of which the program may not have heard yet.
struct LostInMethod : TwoCallers {
  LostInMethod() {
    relay.Say("x");
    Run(lanes);
    process("callers").accounts().NoteLoss(lost, gone);
    Kill("policy", 1);
    Run();
  }
  void TellProgram() const { program().failures().AddLoss(lost, gone); }
  template <class M>
  static void Deliver(Process& to, rpc::ProcessId from, const M& message) {
    to.OnFrame(from, Stream::kControl, EncodeMessage(message));
  }
  const std::vector<rpc::ProcessId> lost = {Id("policy", 1)};
  const absl::Status gone = absl::AbortedError("rank 1 is gone");
};

TEST_CASE("a loss that a method has looked at is known to the program, whichever it hears first") {
  for (const bool early : {true, false}) {
    LostInMethod job;
    if (!early) job.TellProgram();
    const Lazy<void> look = job.relay.Look();
    job.Run();
    CHECK(StatusOf(look).ok());
    if (early) job.TellProgram();
    CHECK(job.program().failures().Close().ok());
    CHECK(job.process("callers").failures().Close().ok());
  }
}

TEST_CASE("it is told before the method's reply, and stays known when the rank that looked is gone") {
  LostInMethod job;
  job.TellProgram();
  job.network().Hold(job.Id("callers"), rpc::kProgram, Stream::kData);
  const Lazy<void> look = job.relay.Look();
  job.Run();
  CHECK_FALSE(look.Ready());
  job.Kill("callers");
  job.Run();
  CHECK(absl::IsAborted(look.Wait(absl::ZeroDuration())));
  CHECK(job.program().failures().Close().ok());
}

TEST_CASE("what nobody looked at is a failure, in the rank as in the program; in the rank unless the program did") {
  LostInMethod job;
  job.TellProgram();
  CHECK(job.program().failures().Close() == job.gone);
  Process& rank = job.process("callers");
  SECTION("nobody did") { CHECK(absl::IsAborted(rank.failures().Close())); }
  SECTION("the program says that somebody did") {
    LostInMethod::Deliver(rank, rpc::kProgram, AccountQuery{1, false, job.lost});
    CHECK(rank.failures().Close().ok());
  }
}

TEST_CASE("what a process of another job says of a loss, and a loss of nobody, count for nothing") {
  LostInMethod job;
  LostInMethod::Deliver(job.program(), base::ProcessIdOf(9, 1), LossSeenMessage{job.lost.front()});
  LostInMethod::Deliver(job.program(), job.Id("callers"), LossSeenMessage{12345});
  LostInMethod::Deliver(job.program(), job.Id("callers"), LossSeenMessage{base::ProcessIdOf(9, 1)});
  job.TellProgram();
  CHECK(job.program().failures().Close() == job.gone);
}

// ---- ranks -------------------------------------------------------------------------------------
TEST_CASE("a lost rank aborts the calls of its group, under way and later; other groups go on (CA4, HO3)") {
  TwoCallers job;
  const auto elsewhere = job.Make<Recorder>("callers");
  job.Run();
  const Lazy<void> under_way = job.recorder.Add("x");
  job.Run(job.lanes);
  job.Kill("policy", 1);
  job.Run();
  CHECK(absl::IsAborted(StatusOf(under_way)));
  CHECK(absl::StrContains(StatusOf(under_way).message(), "Recorder.Add"));
  CHECK(absl::StrContains(StatusOf(under_way).message(), "policy.1 was killed"));
  const Lazy<void> later = job.recorder.Add("y");
  const Lazy<void> on_one = job.recorder.Rank(0).Add("z");
  const Lazy<void> fine = elsewhere.Add("fine");
  job.Run();
  CHECK(absl::IsAborted(StatusOf(later)));
  CHECK(absl::IsAborted(StatusOf(on_one)));
  CHECK(StatusOf(fine).ok());
  CHECK(job.On("policy", 0).empty());
  CHECK(job.program().CallsUnderWay(1).empty());
}

TEST_CASE("calls that wait for a number fail when the sequencer is lost (CA4)") {
  TwoCallers job;
  job.relay.Say("shares the numbers");
  job.Run();
  job.network().Hold(job.Id("policy", 0), rpc::kProgram, Stream::kControl);
  const Lazy<void> waiting = job.recorder.Add("x");
  job.Run();
  CHECK_FALSE(waiting.Ready());
  job.Kill("policy", 0);
  job.Run();
  CHECK(absl::IsAborted(StatusOf(waiting)));
  const Lazy<void> later = job.recorder.Add("y");
  job.Run();
  CHECK(absl::IsAborted(StatusOf(later)));
}

// ---- objects -----------------------------------------------------------------------------------
// Asks for the value, which is too large to have come along with the reply.
std::shared_ptr<bool> Fetch(const Lazy<std::vector<int64_t>>& lazy) {
  auto answered = std::make_shared<bool>(false);
  CoreOf(lazy).OnAnswered([answered] { *answered = true; });
  return answered;
}
constexpr int64_t kMany = 20000;

TEST_CASE("a large result stays where it was made until it is asked for (OT1, OX1)") {
  Stage job({CpuGroup("source", 1)});
  const auto source = job.Make<Recorder>("source");
  {
    const Lazy<std::vector<int64_t>> big = source.Numbers(kMany);
    job.Run();
    CHECK(StatusOf(big).ok());
    CHECK(job.process("source").objects().size() == 1);
    const auto answered = Fetch(big);
    job.Run();
    REQUIRE(*answered);
    CHECK(big.Get()->size() == kMany);
    CHECK(big.Get()->back() == kMany - 1);
  }
  job.Run();
  job.executor().Advance(absl::Milliseconds(1));  // releases are told many at a time
  job.Run();
  CHECK(job.process("source").objects().size() == 0);
}

TEST_CASE("a result that nobody wants is not kept (OT1)") {
  Stage job({CpuGroup("source", 2)});
  const auto source = job.Make<Recorder>("source");
  const Lazy<std::vector<int64_t>> first = source.Numbers(kMany);
  job.Run();
  CHECK(job.process("source", 0).objects().size() == 1);
  CHECK(job.process("source", 1).objects().size() == 0);  // the rule takes rank 0's
}

TEST_CASE("reading what a dead process owned is DataLoss, whether it is asked before or after (OX1)") {
  for (const bool before : {true, false}) {
    Stage job({CpuGroup("source", 1)});
    const auto source = job.Make<Recorder>("source");
    const Lazy<std::vector<int64_t>> big = source.Numbers(kMany);
    job.Run();
    REQUIRE(StatusOf(big).ok());
    job.network().Hold(rpc::kProgram, job.Id("source"), Stream::kData);
    auto answered = before ? Fetch(big) : nullptr;
    job.Run();
    job.Kill("source");
    job.Run();
    if (!before) answered = Fetch(big);
    job.Run();
    CHECK(*answered);
    CHECK(absl::IsDataLoss(StatusOf(big)));
    CHECK(absl::StrContains(StatusOf(big).message(), "source.0 was killed"));
  }
}

TEST_CASE("an argument whose owner is dead fails the call that needs it with DataLoss (HO1)") {
  Stage job({CpuGroup("source", 1), DevicesGroup("policy", 2)});
  const auto source = job.Make<Recorder>("source");
  const auto recorder = job.Make<Recorder>("policy");
  const Lazy<std::vector<int64_t>> big = source.Numbers(kMany);
  job.Run();
  job.Kill("source");
  job.Run();
  const Lazy<void> dependent = recorder.AddCount(big);
  const Lazy<void> next = recorder.Add("next");
  job.Run();
  CHECK(absl::IsDataLoss(StatusOf(dependent)));
  CHECK(StatusOf(next).ok());
  CHECK(job.On("policy", 0) == Texts{"next"});
}

TEST_CASE("the references of a dead process go with it (OT3)") {
  Stage job({CpuGroup("source", 1), CpuGroup("callers", 1)});
  const auto source = job.Make<Recorder>("source");
  const auto relay = job.Make<Relay>("callers");
  relay.Keep(source);
  relay.Ask(kMany);
  job.Run();
  CHECK(job.process("source").objects().size() == 1);
  job.Kill("callers");
  job.Run();
  CHECK(job.process("source").objects().size() == 0);
}

TEST_CASE("a call holds its arguments until it has been answered, whatever becomes of the caller's handles (CA3)") {
  Stage job({CpuGroup("source", 1), CpuGroup("pool", 1)});
  const auto source = job.Make<Recorder>("source");
  const auto recorder = job.Make<Recorder>("pool");
  Lazy<std::vector<int64_t>> big = source.Numbers(kMany);
  job.Run();
  const Lazy<void> counted = recorder.AddCount(big);
  big = {};
  job.Run();
  CHECK(StatusOf(counted).ok());
  CHECK(job.On("pool") == Texts{std::to_string(kMany)});
  job.executor().Advance(absl::Milliseconds(1));  // releases are told many at a time
  job.Run();
  CHECK(job.process("source").objects().size() == 0);
}

}  // namespace
}  // namespace twinkle::actor::steps
