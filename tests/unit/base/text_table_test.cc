#include "runtime/base/text_table.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("a plain table has columns as wide as their widest entry, and no blanks at the end of a line") {
  CHECK(PlainTable({{"JOB", "NAME"}, {"1", "policy"}, {"12345", ""}, {"7"}}) ==
        "  JOB    NAME\n"
        "  1      policy\n"
        "  12345\n"
        "  7\n");
}

TEST_CASE("a boxed table has its numbers to the right, with their heading") {
  CHECK(BoxedTable({{"rank", "node"}, {"0", "a"}, {"10", "1b"}, {kMore, kMore}}) ==
        "┌──────┬──────┐\n"
        "│ rank │ node │\n"
        "├──────┼──────┤\n"
        "│    0 │ a    │\n"
        "│   10 │ 1b   │\n"
        "│    … │ …    │\n"
        "└──────┴──────┘\n");
}

TEST_CASE("entries are as wide as their characters, and do nothing to a terminal") {
  CHECK(PlainTable({{"Käfer", "x"}, {"\033[2J", "y"}}) ==
        "  Käfer    x\n"
        "  \\x1b[2J  y\n");
}

}  // namespace
}  // namespace twinkle::base
