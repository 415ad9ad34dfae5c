#include "client/cli/status_text.h"

#include <absl/status/status.h>
#include <absl/strings/match.h>

#include <string>

#include "tests/support/catch.h"

namespace twinkle::cli {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

// Jobs 1 … count have ended, one after the other, the third by a command.
v1::ClusterStatus Ended(int count) {
  v1::ClusterStatus status;
  for (int number = 1; number <= count; ++number) {
    v1::ClusterStatus::Job& job = *status.add_ended_jobs();
    job.set_id(static_cast<uint64_t>(number));
    job.set_name("train");
    if (number != 3) continue;
    job.set_code(static_cast<int>(absl::StatusCode::kCancelled));
    job.set_reason("it was stopped by a command");
  }
  return status;
}

TEST_CASE("how jobs have ended is told beside the others of the last five, and of as many as are asked for") {
  const v1::ClusterStatus status = Ended(8);
  const std::string beside = StatusText(status, "driver:1");
  CHECK_THAT(beside, ContainsSubstring("job 4 "));
  CHECK_FALSE(absl::StrContains(beside, "job 3 "));
  const std::string six = EndedJobsText(status, 6);
  CHECK_THAT(six, StartsWith("  job 8 'train': ended 0 s ago, after 0 s: as its program wished\n"));
  CHECK_THAT(six, ContainsSubstring("job 3 'train': ended 0 s ago, after 0 s: CANCELLED\n      it was stopped"));
  CHECK_FALSE(absl::StrContains(six, "job 2 "));
  CHECK_THAT(EndedJobsText(status, 100), ContainsSubstring("job 1 "));
  CHECK(EndedJobsText(Ended(0), 6) == "no job has ended since the driver began\n");
  const std::string json = EndedJobsJson(status, "driver:1", 1);
  CHECK_THAT(json, ContainsSubstring("\"id\": 8"));
  CHECK_FALSE(absl::StrContains(json, "\"id\": 7"));
}

}  // namespace
}  // namespace twinkle::cli
