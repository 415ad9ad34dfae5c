#include "client/cli/rank_limits.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::cli {
namespace {

using Catch::Matchers::ContainsSubstring;
using Level = Finding::Level;

Finding About(const std::string& what, const LimitFacts& facts) {
  for (Finding& finding : LimitFindings(facts)) {
    if (finding.what == what) return finding;
  }
  FAIL("nothing is said about " << what);
  return {};
}

TEST_CASE("what has no limit is fine") {
  const std::vector<Finding> findings = LimitFindings({});
  CHECK(findings.size() == 7);
  for (const Finding& finding : findings) {
    CAPTURE(finding.what);
    CHECK(finding.level == Level::kFine);
    CHECK(finding.detail == "no limit is known");
  }
}

TEST_CASE("a limit of processes and threads is counted in ranks, beside what runs already") {
  const Finding usual = About("kernel.pid_max", {.tasks_in_use = 400, .pid_max = 32768});
  CHECK(usual.level == Level::kFine);
  CHECK_THAT(usual.detail, ContainsSubstring("32768: about 2023 ranks, with 16 processes and threads for each"));
  const Finding small = About("kernel.threads-max", {.tasks_in_use = 400, .threads_max = 8400});
  CHECK(small.level == Level::kNote);
  CHECK_THAT(small.detail, ContainsSubstring("about 500 ranks") && ContainsSubstring("sysctl -w kernel.threads-max"));
  CHECK(About("ulimit -u", {.tasks_in_use = 400, .processes = 100}).level == Level::kBad);
}

TEST_CASE("a limit that is exceeded already allows none") {
  const Finding none = About("kernel.pid_max", {.tasks_in_use = 40'000, .pid_max = 32768});
  CHECK(none.level == Level::kBad);
  CHECK_THAT(none.detail, ContainsSubstring("about 0 ranks"));
}

TEST_CASE("a thousand ranks are what nothing is said about; with fewer there is a way out") {
  const uint64_t enough = 64 + 4 * 1000;
  CHECK(About("ulimit -n", {.open_files = enough}).level == Level::kFine);
  const Finding fewer = About("ulimit -n", {.open_files = enough - 1});
  CHECK(fewer.level == Level::kNote);
  CHECK_THAT(fewer.detail, ContainsSubstring("about 999 ranks") && ContainsSubstring("for more, "));
  CHECK(About("ulimit -Hn", {.open_files = 256, .most_open_files = 4096}).level == Level::kFine);
  CHECK(About("ulimit -Hn", {.most_open_files = 256}).level == Level::kNote);
  CHECK(About("vm.max_map_count", {.maps = 65530}).level == Level::kFine);
  CHECK(About("vm.max_map_count", {.maps = 4000}).level == Level::kNote);
}

TEST_CASE("of the control groups the one counts that leaves the fewest, and is named") {
  LimitFacts facts;
  facts.groups = {{"/groups/a/b", std::nullopt, 10}, {"/groups/a", 1700, 100}, {"/groups", 2000, 1200}};
  const Finding found = About("/groups/pids.max", facts);
  CHECK(found.level == Level::kNote);
  CHECK_THAT(found.detail, ContainsSubstring("2000: about 50 ranks") && ContainsSubstring("TasksMax="));
}

}  // namespace
}  // namespace twinkle::cli
