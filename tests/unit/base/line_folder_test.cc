#include "runtime/base/line_folder.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

using Lines = std::vector<LineFolder::Line>;

TEST_CASE("equal lines are written once, with how many more came") {
  LineFolder folder(absl::Seconds(10));
  Instant now;
  CHECK(folder.Add({3, "lost"}, now) == Lines{{3, "lost"}});
  for (int i = 0; i < 996; ++i) CHECK(folder.Add({3, "lost"}, now += absl::Milliseconds(1)).empty());
  CHECK(folder.Add({3, "other"}, now) == Lines{{3, "other"}});
  CHECK(folder.Add({2, "lost"}, now) == Lines{{2, "lost"}});  // of another level
  CHECK(folder.Rest() == Lines{{3, "… 996 more: lost"}});
  CHECK(folder.Rest().empty());
}

TEST_CASE("once the window has passed it is told how many more there were, the one that comes then among them") {
  LineFolder folder(absl::Seconds(10));
  Instant now;
  folder.Add({3, "lost"}, now);
  folder.Add({3, "lost"}, now + absl::Seconds(1));
  folder.Add({3, "lost"}, now + absl::Seconds(2));
  CHECK(folder.Add({3, "lost"}, now + absl::Seconds(10)) == Lines{{3, "… 3 more: lost"}});
  CHECK(folder.Add({3, "lost"}, now + absl::Seconds(11)).empty());
  CHECK(folder.Rest() == Lines{{3, "lost"}});  // one more is told as itself
}

TEST_CASE("only so many lines are known; the one that came longest ago is told of and forgotten") {
  LineFolder folder(absl::Seconds(10), 2);
  const Instant now;
  folder.Add({1, "a"}, now);
  folder.Add({1, "b"}, now);
  folder.Add({1, "b"}, now);
  folder.Add({1, "b"}, now);
  folder.Add({1, "a"}, now);
  CHECK(folder.Add({1, "c"}, now) == Lines{{1, "… 2 more: b"}, {1, "c"}});
  CHECK(folder.Add({1, "b"}, now) == Lines{{1, "a"}, {1, "b"}});
}

}  // namespace
}  // namespace twinkle::base
