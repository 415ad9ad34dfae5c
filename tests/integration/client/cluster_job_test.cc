// The program's side of a job over gRPC; tests/unit/client/cluster_job_test.cc has all that a job may meet.
#include "client/src/cluster_job.h"

#include <absl/strings/match.h>

#include "runtime/base/clock.h"
#include "tests/integration/client/fake_driver.h"
#include "tests/support/catch.h"

namespace twinkle::internal {
namespace {

TEST_CASE("a job begins, asks ranks that do not answer all at once and once, and ends") {
  const SilentRank one(RankId(0));
  const SilentRank other(RankId(1));
  FakeDriver driver(Good({one.socket(), other.socket()}));
  auto job = driver.Start({{.name = "pool", .ranks = 2, .device_type = "cpu"}}, {.account = absl::Milliseconds(500)});
  REQUIRE(job.ok());
  const base::Instant begin = base::Now();
  CHECK((*job)->WaitForCalls(base::Now() + absl::Seconds(20)));
  CHECK((*job)->CallsUnderWay(3).empty());
  (*job)->Shutdown(absl::CancelledError("the session has ended"));
  CHECK((*job)->CloseFailures().ok());
  CHECK(base::Now() - begin < absl::Milliseconds(2500));  // one after the other, and again, it would be 3 s
}

TEST_CASE("Initialize hears that the driver is gone, in words that are no transport's") {
  FakeDriver driver([](FakeDriver::Stream& stream, const v1::ProgramToDriver&) {
    stream.Finish(absl::UnavailableError("Socket closed"));
  });
  const absl::Status status = driver.Start().status();
  CHECK(absl::IsUnavailable(status));
  CHECK(absl::StrContains(status.message(), "the driver at "));
  CHECK(absl::StrContains(status.message(), " is gone: the other side closed the connection"));
}

}  // namespace
}  // namespace twinkle::internal
