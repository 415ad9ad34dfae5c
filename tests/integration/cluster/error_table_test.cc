// The README's table of failures is what the library says: each row is provoked, and its code and text are compared.
#include "tests/support/error_table.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/cluster/provokers.h"
#include "tests/integration/session.h"

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

// Rows that are not provoked here, and why.
const std::map<std::string, std::string>& NotHere() {
  static const std::map<std::string, std::string> reasons = {
      {"the process that was to construct a component is gone",
       "it has to die between two of its messages: tests/unit/actor/forget_steps_test.cc steps there"},
      {"a process sends what is no message (another build of the library, say)",
       "no process of one build does: tests/unit/actor/hostile_messages_test.cc writes the bytes"},
      {"the driver says nothing more while a job waits or starts",
       "it takes 15 s, and a second machine for the first of its two texts"},
      {"two processes of a job live, and cannot reach each other for more than 6 s after their connection broke",
       "it takes two hosts and a wire that can be cut: tests/multihost/wires.sh"},
      {"`Find` of a component on another machine, whose node has no `--host`", "it takes two machines"},
  };
  return reasons;
}

std::vector<ErrorRow> Rows() { return ReadErrorTable(TWINKLE_README, "When something fails"); }

TEST_CASE("each row of the README's table of failures has the library's code and text") {
  for (const ErrorRow& row : Rows()) {
    DYNAMIC_SECTION(row.event) {
      const auto provoker = All().find(row.event);
      REQUIRE((provoker != All().end()) != (NotHere().count(row.event) > 0));  // one of them has it
      if (provoker == All().end()) continue;
      const Statuses statuses = provoker->second.provoke();
      CHECK_FALSE(statuses.empty());
      for (const absl::Status& status : statuses) {
        INFO(Told(status));
        CHECK(HasCode(row, status.code()));
        CHECK(std::any_of(row.texts.begin(), row.texts.end(), [&](const std::string& text) {
          return IsLike(std::string(status.message()), text, provoker->second.words);
        }));
      }
    }
  }
}

TEST_CASE("whatever is provoked, or left out with a reason, is a row of the table, once") {
  std::set<std::string> events;
  for (const ErrorRow& row : Rows()) {
    CAPTURE(row.event);
    CHECK(events.insert(row.event).second);
  }
  for (const auto& [event, provoker] : All()) {
    CAPTURE(event);
    CHECK(events.count(event) == 1);
  }
  for (const auto& [event, reason] : NotHere()) {
    CAPTURE(event, reason);
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
