// What becomes of processes that are stopped. Numbers are those of the invariants in node_state.h.
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/worker/stepped_node.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr Glance kGoesOn{};
constexpr Glance kStopped{.stopped = true, .traced = false, .tracer = 0, .times_paused = 7};
constexpr Glance kHeld{.stopped = true, .traced = true, .tracer = 512, .times_paused = 7};

Texts Said(Node& node) {
  Texts said;
  for (const Say& one : node.Take<Say>()) said.push_back(one.text);
  return said;
}
Texts Noted(Node& node, uint64_t process) {
  Texts noted;
  for (const Note& one : node.Take<Note>()) {
    CHECK(one.process == process);
    noted.push_back(one.text);
  }
  return noted;
}

TEST_CASE("NS8: it is told once that a process is stopped, with what may come, and once that it goes on") {
  Node node;
  node.StartAll(1, {10, 11});
  node.Look(11, kStopped);
  CHECK(node.effects.empty());  // it may be a moment
  for (int look = 0; look < 3; ++look) {
    node.awake += absl::Seconds(1);
    node.Look(10, kGoesOn);
    node.Look(11, kStopped);
  }
  const std::string stopped =
      "rank policy:1 (node 'n', pid 1011) is stopped by a signal: calls on it wait until it goes on (kill -CONT 1011), "
      "for 3600 s at most (--stopped-limit): then it is killed, and its group is lost";
  CHECK(Said(node) == Texts{"job 1: " + stopped});
  CHECK(Noted(node, 11) == Texts{stopped});
  node.Look(11, kGoesOn);
  node.Look(11, kGoesOn);
  CHECK(Said(node) == Texts{"job 1: rank policy:1 (node 'n', pid 1011) goes on"});
  CHECK(Noted(node, 11) == Texts{"rank policy:1 (node 'n', pid 1011) goes on"});
  CHECK(node.effects.empty());
}

TEST_CASE("NS8: a process that is stopped for longer than the limit is killed, once, and told of with that cause") {
  Node node;
  node.StartAll(1, {10});
  node.Look(10, kStopped);
  node.awake += absl::Minutes(59);
  node.Look(10, kStopped);
  CHECK(node.Take<SignalProcess>().empty());
  node.Take<Say>();
  node.awake += absl::Minutes(1);
  node.Look(10, kStopped);
  node.Look(10, kStopped);
  const auto signals = node.Take<SignalProcess>();
  REQUIRE(signals.size() == 1);
  CHECK(signals[0].process == 10);
  CHECK(signals[0].number == SIGKILL);
  CHECK(Said(node) == Texts{"job 1: rank policy:0 (node 'n', pid 1010) has been stopped for 3600 s: it is killed"});
  node.End(10);
  CHECK(node.CauseOf(10) == "was stopped for 3600 s (--stopped-limit)");
}

TEST_CASE("NS8: who holds a process is named") {
  Node node;
  node.StartAll(1, {10});
  node.Look(10, kHeld);
  node.Look(10, kHeld);
  CHECK_THAT(Said(node).at(0),
             ContainsSubstring("is held by a debugger (pid 512): calls on it wait until it goes on,"));
  node.awake += absl::Hours(1);
  node.Look(10, kHeld);
  node.End(10);
  CHECK(node.CauseOf(10) == "was held by a debugger (pid 512) for 3600 s (--stopped-limit)");
}

TEST_CASE("NS8: a process that goes on in time, or that its debugger lets run now and then, is not killed") {
  Node node;
  node.StartAll(1, {10, 11});
  Glance held = kHeld;
  for (int minutes = 0; minutes < 300; minutes += 50) {
    node.awake += absl::Minutes(50);
    ++held.times_paused;
    for (const uint64_t process : {10, 11}) node.Look(process, process == 10 ? kStopped : held);
    node.awake += absl::Seconds(1);
    for (const uint64_t process : {10, 11}) node.Look(process, process == 10 ? kGoesOn : held);
  }
  CHECK(node.Take<SignalProcess>().empty());
}

TEST_CASE("NS8: one that ends otherwise after it was given up has that cause") {
  Node node;
  node.StartAll(1, {10});
  for (int look = 0; look < 2; ++look) {
    node.Look(10, kStopped);
    node.awake += absl::Hours(1);
  }
  CHECK(node.Take<SignalProcess>().size() == 1);
  node.End(10, 3 << 8);
  CHECK(node.CauseOf(10) == "exited with code 3");
}

TEST_CASE("NS8: of one that is stopped when the grace of its job's end is over that is told") {
  Node node;
  node.StartAll(1, {10});
  for (int look = 0; look < 2; ++look) node.Look(10, kHeld);
  node.effects.clear();
  node.state.OnMessage(StopMessage(1, absl::Seconds(5)), &node.effects);
  node.state.OnTimer(node.Take<SetTimer>().at(0), &node.effects);
  node.End(10);
  CHECK(node.CauseOf(10) ==
        "was held by a debugger (pid 512) when the abort_grace of the session's end was over, and was killed");
}

TEST_CASE("NS8: a long limit is told in whole seconds, one of less than that as it is") {
  for (const auto& [limit, text] :
       {std::pair(absl::Seconds(10'000'000), "10000000 s"), std::pair(absl::Milliseconds(500), "500ms")}) {
    Node node("", limit);
    node.StartAll(1, {10});
    for (int look = 0; look < 2; ++look) node.Look(10, kStopped);
    CHECK_THAT(Said(node).at(0), ContainsSubstring(std::string("for ") + text + " at most (--stopped-limit)"));
  }
}

TEST_CASE("NS8: without a limit it is told, and waited for") {
  Node node("", absl::InfiniteDuration());
  node.StartAll(1, {10});
  node.Look(10, kStopped);
  node.awake += absl::Hours(10'000);
  node.Look(10, kStopped);
  CHECK(node.Take<SignalProcess>().empty());
  CHECK(Said(node) == Texts{"job 1: rank policy:0 (node 'n', pid 1010) is stopped by a signal: calls on it wait until "
                            "it goes on (kill -CONT 1010)"});
}

TEST_CASE("NS8: the wait for Initialize begins anew while a process is stopped") {
  Node node;
  node.Start(1, {10});
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.effects.clear();
  node.state.OnStarted(10, 1010, &node.effects);
  const auto timers = node.Take<SetTimer>();
  REQUIRE(timers.size() == 1);
  node.Look(10, kHeld);
  node.state.OnTimer(timers[0], &node.effects);
  const auto again = node.Take<SetTimer>();
  REQUIRE(again.size() == 1);
  CHECK(again[0].after == absl::Seconds(20));
  CHECK(node.Take<SignalProcess>().empty());
  node.Look(10, kGoesOn);
  node.state.OnTimer(again[0], &node.effects);
  CHECK(node.Take<SignalProcess>().size() == 1);
}

TEST_CASE("NS8: only processes that run are looked at, and what is seen of others changes nothing") {
  Node node;
  node.Start(1, {10, 11});
  CHECK(node.state.Running().empty());
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnStarted(11, 1011, &node.effects);
  CHECK(node.state.Running() == std::vector<std::pair<uint64_t, int>>{{11, 1011}});
  node.EndWithAll(11);
  node.effects.clear();
  for (int look = 0; look < 3; ++look) node.Look(11, kStopped);
  CHECK(node.effects.empty());
}

}  // namespace
}  // namespace twinkle::worker
