// The order of calls, whoever makes them and whatever they wait for.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using tests::Below;
using tests::CpuGroup;
using tests::DevicesGroup;
using tests::LaneOf;
using tests::OneIn;
using tests::Random;
using tests::StatusOf;

// Those of one caller: the program's begin with p, the relay's with c.
Texts Of(char caller, const Texts& all) {
  Texts mine;
  for (const std::string& text : all) {
    if (text[0] == caller) mine.push_back(text);
  }
  return mine;
}

TEST_CASE("calls of two callers run in one order on all ranks, each caller's in the order made (HO2, SE1, SE3, CA1)") {
  const uint64_t seed = tests::Seed();
  Random random(seed);
  for (int round = 0; round < 40; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    TwoCallers job;
    std::vector<Lazy<void>> calls;
    Texts from_program;
    Texts from_relay;
    for (int i = 0; i < 8; ++i) {
      from_program.push_back("p" + std::to_string(i));
      calls.push_back(job.recorder.Add(from_program.back()));
      from_relay.push_back("c" + std::to_string(i));
      calls.push_back(job.relay.Say(from_relay.back()));
      job.Steps(random, Below(random, 20));
    }
    job.executor().RunRandomly(random());
    for (const Lazy<void>& call : calls) CHECK(StatusOf(call).ok());
    const Texts order = job.On("policy", 0);
    CHECK(job.AllDid(order));
    CHECK(Of('p', order) == from_program);
    CHECK(Of('c', order) == from_relay);
    CHECK(job.IsIdle());
  }
}

TEST_CASE("two components of one device group share its order; each caller's calls on each keep theirs (HO2)") {
  const uint64_t seed = tests::Seed();
  Random random(seed);
  for (int round = 0; round < 20; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    TwoCallers job;
    const Remote<Recorder> other = job.Make<Recorder>("policy");
    std::vector<Lazy<void>> calls;
    for (int i = 0; i < 6; ++i) {
      calls.push_back(job.relay.Say("c" + std::to_string(i)));
      calls.push_back((OneIn(random, 2) ? job.recorder : other).Add("p" + std::to_string(i)));
      job.Steps(random, Below(random, 20));
    }
    job.executor().RunRandomly(random());
    for (const Lazy<void>& call : calls) CHECK(StatusOf(call).ok());
    const Texts order = job.On("policy", 0);
    CHECK(order.size() == 12);
    CHECK(job.AllDid(order));
  }
}

TEST_CASE("calls on a single rank keep their caller's order among its group calls (OG2, OG3)") {
  const uint64_t seed = tests::Seed();
  Random random(seed);
  for (int round = 0; round < 40; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    TwoCallers job;
    std::vector<Lazy<void>> calls;
    std::vector<Texts> expected(TwoCallers::kRanks);
    std::vector<Texts> expected_of_relay(TwoCallers::kRanks);
    for (int i = 0; i < 10; ++i) {
      const std::string what = "p" + std::to_string(i);
      const int rank = Below(random, 2 * TwoCallers::kRanks);
      const bool all = rank >= TwoCallers::kRanks;
      calls.push_back(all ? job.recorder.Add(what) : job.recorder.Rank(rank).Add(what));
      for (int r = 0; r < TwoCallers::kRanks; ++r) {
        if (all || r == rank) expected[static_cast<size_t>(r)].push_back(what);
      }
      const std::string said = "c" + std::to_string(i);
      calls.push_back(all ? job.relay.Say(said) : job.relay.SayTo(rank, said));
      for (int r = 0; r < TwoCallers::kRanks; ++r) {
        if (all || r == rank) expected_of_relay[static_cast<size_t>(r)].push_back(said);
      }
      job.Steps(random, Below(random, 20));
    }
    job.executor().RunRandomly(random());
    for (const Lazy<void>& call : calls) CHECK(StatusOf(call).ok());
    for (int rank = 0; rank < TwoCallers::kRanks; ++rank) {
      CHECK(Of('p', job.On("policy", rank)) == expected[static_cast<size_t>(rank)]);
      CHECK(Of('c', job.On("policy", rank)) == expected_of_relay[static_cast<size_t>(rank)]);
    }
  }
}

TEST_CASE("a call whose argument is late is not overtaken by later ones on its component; others go on (CA1)") {
  Stage job({DevicesGroup("policy", 2), CpuGroup("source", 1)});
  const auto source = job.Make<Recorder>("source");
  const auto recorder = job.Make<Recorder>("policy");
  const auto other = job.Make<Recorder>("policy");
  job.Run();
  const Lazy<std::string> late = source.Text();
  const Lazy<void> first = recorder.Add(late);
  const Lazy<void> second = recorder.Add("second");
  const Lazy<void> alone = recorder.Rank(1).Add("alone");
  const Lazy<void> elsewhere = other.Add("elsewhere");
  job.Run({LaneOf(source)});
  CHECK(StatusOf(elsewhere).ok());
  for (const Lazy<void>& waiting : {first, second, alone}) CHECK_FALSE(waiting.Ready());
  CHECK(job.On("policy", 0) == Texts{"elsewhere"});
  job.Run();
  for (const Lazy<void>& done : {first, second, alone}) CHECK(StatusOf(done).ok());
  CHECK(job.On("policy", 0) == Texts{"elsewhere", "text", "second"});
  CHECK(job.On("policy", 1) == Texts{"elsewhere", "text", "second", "alone"});
}

TEST_CASE("a call that waits for the rows of an argument on its way to the rank is not overtaken there (LA1)") {
  Stage job({CpuGroup("pool", 1), CpuGroup("source", 1)});
  const auto source = job.Make<Recorder>("source");
  const auto recorder = job.Make<Recorder>("pool");
  const Lazy<std::vector<int64_t>> big = source.Numbers(20000);
  job.Run();
  REQUIRE(big.Ready());
  job.network().Hold(job.Id("source"), job.Id("pool"), rpc::Stream::kData);
  const Lazy<void> first = recorder.AddCount(big);
  const Lazy<void> second = recorder.Add("second");
  job.Run();
  CHECK_FALSE(first.Ready());
  CHECK_FALSE(second.Ready());
  job.network().Release(job.Id("source"), job.Id("pool"), rpc::Stream::kData);
  job.Run();
  CHECK(job.On("pool") == Texts{"20000", "second"});
}

TEST_CASE("a failed argument fails its call alone; later ones go on (CA1)") {
  Stage job({DevicesGroup("policy", 2), CpuGroup("source", 1)});
  const auto source = job.Make<Recorder>("source");
  const auto recorder = job.Make<Recorder>("policy");
  job.Run();
  const Lazy<std::string> bad = source.Rank(7).Text();
  const Lazy<void> dependent = recorder.Add(bad);
  const Lazy<void> next = recorder.Add("next");
  job.Run();
  CHECK(absl::IsInvalidArgument(StatusOf(dependent)));
  CHECK(StatusOf(next).ok());
  CHECK(job.On("policy", 0) == Texts{"next"});
}

TEST_CASE("a recall is answered between calls, and the holder's later calls take their turn (SE3)") {
  TwoCallers job;
  std::vector<Lazy<void>> calls;
  calls.push_back(job.recorder.Add("p0"));
  job.Drain("program");  // it has all numbers: gone at once
  calls.push_back(job.relay.Say("c0"));
  job.Drain("program");
  job.Drain("callers.0");
  job.Drain(LaneOf(job.relay));
  job.Drain("callers.0");  // asks for a number
  job.Drain("policy.0");   // recalls them
  calls.push_back(job.recorder.Add("p1"));
  job.Run();
  calls.push_back(job.recorder.Add("p2"));
  job.Run();
  for (const Lazy<void>& call : calls) CHECK(StatusOf(call).ok());
  const Texts order = job.On("policy", 0);
  CHECK(job.AllDid(order));
  CHECK(order.size() == 4);
  CHECK(order.front() == "p0");
  CHECK(order.back() == "p2");
}

TEST_CASE(
    "a numbered call from another process that overtakes its component's construction runs in its turn (HO1, HO2)") {
  Stage job({DevicesGroup("policy", 2), CpuGroup("callers", 1)});
  const auto relay = job.Make<Relay>("callers");
  const rpc::ProcessId late = job.Id("policy", 1);
  job.network().Hold(rpc::kProgram, late, rpc::Stream::kData);
  const auto recorder = job.Make<Recorder>("policy");
  const Lazy<void> kept = relay.Keep(recorder);
  const Lazy<void> said = relay.Say("early");
  job.Run();
  CHECK(kept.Ready());
  CHECK(job.On("policy", 0) == Texts{"early"});
  CHECK(job.On("policy", 1).empty());
  CHECK_FALSE(job.IsIdle());
  job.network().Release(rpc::kProgram, late, rpc::Stream::kData);
  job.Run();
  CHECK(job.On("policy", 1) == Texts{"early"});
  CHECK(job.IsIdle());
}

// ---- inside a group ----------------------------------------------------------------------------
TEST_CASE("on its own lane a call runs at once; from another lane of its rank it queues") {
  Stage job({DevicesGroup("policy", 2), CpuGroup("pool", 2)});
  for (const char* group : {"policy", "pool"}) {
    const auto recorder = job.Make<Recorder>(group);
    const auto relay = job.Make<Relay>(group);
    relay.Keep(recorder);
    const Lazy<void> said = relay.SayAtOnce("x");
    job.Run();
    CHECK(StatusOf(said).ok());
  }
  for (int rank = 0; rank < 2; ++rank) {
    CHECK(job.On("policy", rank) == Texts{"x", "it was run"});  // one lane for both
    CHECK(job.On("pool", rank) == Texts{"it was queued", "x"});
  }
}

TEST_CASE("inside its group a component is this rank's object, and Rank(i) is rank i's") {
  Stage job({CpuGroup("pool", 2)});
  const auto recorder = job.Make<Recorder>("pool");
  const auto relay = job.Make<Relay>("pool");
  relay.Keep(recorder);
  relay.Rank(0).Say("own");
  relay.Rank(0).SayTo(1, "from 0 to 1");
  relay.Rank(0).SayTo(0, "from 0 to 0");
  job.Run();
  CHECK(job.On("pool", 0) == Texts{"own", "from 0 to 0"});
  CHECK(job.On("pool", 1) == Texts{"from 0 to 1"});
  CHECK(job.IsIdle());
}

TEST_CASE("a call that runs on its caller's lane finds its own component's mesh") {
  Stage job({DevicesGroup("policy", 2)});
  const auto recorder = job.Make<Recorder>("policy", *DeviceMesh::FromShape({2}, {"tp"}));
  const auto relay = job.Make<Relay>("policy", *DeviceMesh::FromShape({2}, {"dp"}));
  relay.Keep(recorder);
  const Lazy<void> said = relay.SayMesh();
  job.Run();
  CHECK(StatusOf(said).ok());
  for (int rank = 0; rank < 2; ++rank) CHECK(job.On("policy", rank) == Texts{"tp"});
}

}  // namespace
}  // namespace twinkle::actor::steps
