#include "runtime/base/recent.h"

#include <optional>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("the latest are known, with the first that was said of each; the oldest make room") {
  Recent<int, std::string> recent(2);
  CHECK(recent.Add(1, "a") == std::nullopt);
  CHECK(recent.Add(1, "again") == std::nullopt);
  CHECK(recent.Add(2, "b") == std::nullopt);
  CHECK(recent.Add(3, "c") == 1);
  CHECK(recent.Find(1) == nullptr);
  REQUIRE(recent.Find(2) != nullptr);
  CHECK(*recent.Find(2) == "b");
  CHECK(recent.Has(3));
  CHECK(recent.size() == 2);
}

}  // namespace
}  // namespace twinkle::base
