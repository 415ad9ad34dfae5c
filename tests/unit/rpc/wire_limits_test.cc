#include "runtime/rpc/wire_limits.h"

#include <string>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("limits of wires are three numbers of seconds, for all connections alike") {
  const auto limits = ParseWireLimits("1,2,30");
  REQUIRE(limits.ok());
  for (const KeepAlive& keep_alive : {limits->services, limits->processes}) {
    CHECK(keep_alive.time == absl::Seconds(1));
    CHECK(keep_alive.timeout == absl::Seconds(2));
  }
  CHECK(limits->redial.silence == absl::Seconds(30));
  CHECK(limits->redial.verdict == Redial::Limits().verdict);
}

TEST_CASE("without limits of wires there are the usual ones") {
  const auto limits = ParseWireLimits("");
  REQUIRE(limits.ok());
  CHECK(limits->services.time == KeepAlive().time);
  CHECK(limits->processes.timeout == absl::Seconds(4));
  CHECK(limits->redial.silence == absl::Seconds(6));
}

TEST_CASE("what are no limits of wires is refused, with what they must be") {
  for (const std::string text :
       {"1", "1,2", "1,2,3,4", "0,1,1", "1,-2,3", "1,2,x", "1,2,", "0.5,1,1", "1,2,86401", "1,128,1", "32768,1,1"}) {
    const auto limits = ParseWireLimits(text);
    REQUIRE(absl::IsInvalidArgument(limits.status()));
    CHECK_THAT(std::string(limits.status().message()), Catch::Matchers::ContainsSubstring("'" + text + "'"));
    CHECK_THAT(std::string(limits.status().message()), Catch::Matchers::ContainsSubstring("ASK,ANSWER,REDIAL"));
  }
}

}  // namespace
}  // namespace twinkle::rpc
