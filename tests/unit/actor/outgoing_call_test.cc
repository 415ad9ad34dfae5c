#include "runtime/actor/outgoing_call.h"

#include <map>
#include <set>

#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using CallStage = OutgoingCall::State;

// A call that has come that far, by states that a call to several ranks goes through.
OutgoingCall CallAt(CallStage stage) {
  OutgoingCall call;
  for (const CallStage next : {CallStage::kWatching, CallStage::kPlanning, CallStage::kReady, CallStage::kRequested,
                               CallStage::kSent, CallStage::kLate, CallStage::kSettled}) {
    if (call.state() != stage) REQUIRE(call.To(next));
  }
  return call;
}

const std::map<CallStage, std::set<CallStage>>& Arrows() {
  using S = CallStage;
  static const std::map<S, std::set<S>> arrows = {
      {S::kWaiting, {S::kWatching, S::kPlanning, S::kReady, S::kSent, S::kSettled}},
      {S::kWatching, {S::kPlanning, S::kReady, S::kSent, S::kSettled}},
      {S::kPlanning, {S::kReady, S::kSettled}},
      {S::kReady, {S::kRequested, S::kSent, S::kSettled}},
      {S::kRequested, {S::kReady, S::kSent, S::kSettled}},
      {S::kSent, {S::kLate, S::kSettled}},
      {S::kLate, {S::kSettled}},
      {S::kSettled, {}},
  };
  return arrows;
}

TEST_CASE("a call goes along the arrows of its states, and stays where it is otherwise") {
  for (const auto& [from, allowed] : Arrows()) {
    for (const auto& [next, unused] : Arrows()) {
      INFO("from " << static_cast<int>(from) << " to " << static_cast<int>(next));
      OutgoingCall call = CallAt(from);
      const bool may = allowed.contains(next);
      CHECK(call.To(next) == may);
      CHECK(call.state() == (may ? next : from));
    }
  }
}

TEST_CASE("each call that has not settled is in the outbox, in its domain, or under way") {
  for (const auto& [stage, unused] : Arrows()) {
    INFO(static_cast<int>(stage));
    const OutgoingCall call = CallAt(stage);
    const int places = int{call.in_outbox()} + int{call.in_domain()} + int{call.under_way()};
    CHECK(places == int{stage != CallStage::kSettled});
  }
}

}  // namespace
}  // namespace twinkle::actor
