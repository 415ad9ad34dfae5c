#include "runtime/base/list_text.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("the last two words of a list are joined by and, those before by commas") {
  CHECK(ListText({}).empty());
  CHECK(ListText(std::vector<std::string>{"all"}) == "all");
  CHECK(ListText(std::vector<std::string>{"all", "slice"}) == "all and slice");
  CHECK(ListText(std::vector<std::string>{"all", "first", "peer"}) == "all, first and peer");
}

}  // namespace
}  // namespace twinkle::base
