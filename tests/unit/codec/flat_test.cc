#include "runtime/codec/flat.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::codec {
namespace {

struct Listing {
  std::string name;
  std::vector<uint64_t> members;
};

TEST_CASE("a flat value has all of itself in one string, however large its parts are") {
  for (const size_t count : {size_t{0}, size_t{255}, size_t{256}, size_t{4000}}) {
    CAPTURE(count);
    const absl::StatusOr<std::string> flat =
        EncodeFlat(Listing{std::string(count, 'n'), std::vector<uint64_t>(count, 7)});
    REQUIRE(flat.ok());
    const absl::StatusOr<Listing> back = DecodeFlat<Listing>(*flat);
    REQUIRE(back.ok());
    CHECK(back->name.size() == count);
    CHECK(back->members == std::vector<uint64_t>(count, 7));
  }
}

TEST_CASE("bytes that are no such flat value are refused") {
  const std::string flat = *EncodeFlat(Listing{"a", {1, 2}});
  CHECK(absl::IsInvalidArgument(DecodeFlat<Listing>(flat.substr(1)).status()));
  CHECK(absl::IsInvalidArgument(DecodeFlat<Listing>(flat + "x").status()));
}

}  // namespace
}  // namespace twinkle::codec
