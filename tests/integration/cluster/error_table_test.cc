// The table of failures in docs/errors.md is what the library says: each row is provoked, and its code and text are
// compared.
#include "tests/support/error_table.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/cluster/provokers.h"
#include "tests/support/catch.h"

namespace twinkle::tests {
namespace {

const Provokers& All() {
  static const Provokers all = [] {
    Provokers both = ProvokersInProcess();
    both.merge(ProvokersOnCluster());
    return both;
  }();
  return all;
}

std::vector<ErrorRow> Rows() { return ReadErrorTable(TWINKLE_ERRORS, "Every failure"); }

TEST_CASE("each row of the table of failures has the library's code and text") {
  for (const ErrorRow& row : Rows()) {
    if (RowsFromInside().count(row.event) > 0) continue;
    DYNAMIC_SECTION(row.event) {
      const auto provoker = All().find(row.event);
      REQUIRE(provoker != All().end());
      CheckProvoked(row, provoker->second);
    }
  }
}

TEST_CASE("whatever is provoked, here or from inside, is a row of the table, once") {
  std::set<std::string> events;
  for (const ErrorRow& row : Rows()) {
    CAPTURE(row.event);
    CHECK(events.insert(row.event).second);
  }
  for (const auto& [event, provoker] : All()) {
    CAPTURE(event);
    CHECK(events.count(event) == 1);
    CHECK(RowsFromInside().count(event) == 0);
  }
  for (const std::string& event : RowsFromInside()) {
    CAPTURE(event);
    CHECK(events.count(event) == 1);
  }
}

TEST_CASE("a message is like an example that differs from it in names and numbers alone") {
  const std::string example =
      "Policy.Pack failed on rank 0 of group 'policy' (node1, pid 4711) [train.cc:60]: too late";
  CHECK(IsLike("A.B failed on rank 12 of group 'x' (my.host, pid 1) [a_b.cc:7]: too late", example));
  CHECK(IsLike("A.B failed on rank 12 of group 'x' (my.host, pid 1) [a_b.cc:7]: no", example, {"too late"}));
  CHECK_FALSE(IsLike("A.B failed on rank 12 of group 'x' (my.host, pid 1) [a_b.cc:7]: too late, sorry", example));
  CHECK_FALSE(IsLike("A.B failed on rank x of group 'x' (my.host, pid 1) [a_b.cc:7]: too late", example));
  CHECK_FALSE(IsLike("A.B [a_b.cc:7]: too late", example));
  CHECK(IsLike("it is gone: it exited with code 1\nits last line", "it is gone: …"));
  CHECK(IsLike("it is gone: whatever", "it is gone: "));
  CHECK_FALSE(IsLike("it was here", "it is gone: "));
}

}  // namespace
}  // namespace twinkle::tests
