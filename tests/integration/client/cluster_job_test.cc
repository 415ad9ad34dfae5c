// The program's side of a job, against a driver that says what the test wants, and ranks that never answer.
#include "client/src/cluster_job.h"

#include <absl/strings/match.h>

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "tests/integration/client/fake_driver.h"
#include "tests/support/catch.h"

namespace twinkle::internal {
namespace {

absl::Status End(ClusterJob& job) {
  job.Shutdown(absl::CancelledError("the session has ended"));
  return job.CloseFailures();
}

TEST_CASE("a job that begins and ends") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  CHECK((*job)->WaitForCalls(base::Now() + absl::Seconds(5)));
  CHECK(End(**job).ok());
}

TEST_CASE("Initialize hears why the driver has dropped the job, whenever it does") {
  for (const bool placed : {false, true}) {
    FakeDriver driver([&](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
      if (placed && message.has_submit()) return stream.Write(Placed());
      stream.Write(Ended(absl::StatusCode::kCancelled, "node 1 sees that its program has ended"));
    });
    const absl::Status status = driver.Start().status();
    CHECK(absl::IsCancelled(status));
    CHECK(absl::StrContains(status.message(), "node 1 sees that its program has ended"));
  }
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

TEST_CASE("a job that has been ended does not end with OK") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  driver.stream().Write(Ended(absl::StatusCode::kCancelled, "it was stopped by a command"));
  driver.stream().Finish(absl::OkStatus());
  CHECK(End(**job) == absl::CancelledError("job 7 was ended: it was stopped by a command"));
}

TEST_CASE("a driver that stops says so, and that is what Finish tells") {
  FakeDriver driver(Good());
  auto job = driver.Start();
  REQUIRE(job.ok());
  driver.stream().Finish(absl::UnavailableError("the driver stops"));
  const absl::Status ended = End(**job);
  CHECK(absl::IsUnavailable(ended));
  CHECK(absl::StrContains(ended.message(), " is gone: the driver stops"));
}

TEST_CASE("ranks that do not answer cost their time once, all of them together") {
  const SilentRank one(base::ProcessIdOf(kJob, 1));
  const SilentRank other(base::ProcessIdOf(kJob, 2));
  FakeDriver driver(Good({one.socket(), other.socket()}));
  auto job = driver.Start({{.name = "pool", .ranks = 2, .device_type = "cpu"}}, {.account = absl::Milliseconds(500)});
  REQUIRE(job.ok());
  const base::Instant begin = base::Now();
  CHECK((*job)->WaitForCalls(base::Now() + absl::Seconds(20)));
  CHECK((*job)->CallsUnderWay(3).empty());
  CHECK(End(**job).ok());
  CHECK(base::Now() - begin < absl::Milliseconds(2500));  // one after the other, and again, it would be 3 s
}

TEST_CASE("a driver that does not confirm the end is waited for no longer than its limit, and told of") {
  FakeDriver driver([](FakeDriver::Stream& stream, const v1::ProgramToDriver& message) {
    if (message.has_submit()) stream.Write(Placed());
    if (message.has_listens()) stream.Write(Peers());
  });
  auto job = driver.Start({}, {.end_margin = absl::Milliseconds(200)});
  REQUIRE(job.ok());
  const base::Instant begin = base::Now();
  const absl::Status ended = End(**job);
  CHECK(base::Now() - begin < absl::Seconds(3));
  CHECK(absl::IsUnavailable(ended));
  CHECK(absl::StrContains(ended.message(), "has not said that the job has ended"));
}

}  // namespace
}  // namespace twinkle::internal
