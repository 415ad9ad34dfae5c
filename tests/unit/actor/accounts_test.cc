#include "runtime/actor/accounts.h"

#include <vector>

#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

Account Idle(uint64_t made) { return {Account::From::kProcess, made, {}, {}}; }
Account Busy(uint64_t made) { return {Account::From::kProcess, made, {"a call"}, {}}; }

TEST_CASE("a job is at rest when two passes in a row find no call under way, and none made between them") {
  RestDetector rest;
  CHECK_FALSE(rest.Pass({Idle(3), Idle(5)}));
  CHECK(rest.Pass({Idle(3), Idle(5)}));
}

TEST_CASE("a call that hops from a process not yet asked to one that was is not missed") {
  RestDetector rest;
  // B's call runs in A when A is asked: A has none of its own. A then calls B, and B's call ends before B is asked.
  CHECK_FALSE(rest.Pass({Idle(1), Idle(4)}));
  // The next pass may see A's call, or only that it was made.
  SECTION("it is seen") {
    CHECK_FALSE(rest.Pass({Busy(2), Idle(4)}));
    CHECK_FALSE(rest.Pass({Idle(2), Idle(4)}));
  }
  SECTION("it has hopped on") { CHECK_FALSE(rest.Pass({Idle(2), Idle(5)})); }
  CHECK_FALSE(rest.Pass({Idle(2), Idle(6)}));
  CHECK(rest.Pass({Idle(2), Idle(6)}));
}

TEST_CASE("passes between which a call was seen count for nothing") {
  RestDetector rest;
  CHECK_FALSE(rest.Pass({Idle(1)}));
  CHECK_FALSE(rest.Pass({Busy(1)}));
  CHECK_FALSE(rest.Pass({Idle(1)}));
  CHECK(rest.Pass({Idle(1)}));
}

TEST_CASE("who is gone, or does not answer, has no calls; that it was asked before makes the passes differ") {
  RestDetector rest;
  CHECK_FALSE(rest.Pass({Idle(1), Idle(2)}));
  CHECK_FALSE(rest.Pass({Idle(1), {Account::From::kGone}}));
  CHECK(rest.Pass({Idle(1), {Account::From::kNobody}}));
}

}  // namespace
}  // namespace twinkle::actor
