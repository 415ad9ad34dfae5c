#include "runtime/object/object_store.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::object {
namespace {

struct NamedRows {
  std::vector<std::string> rows;
  std::string name;
};

std::vector<std::string> RowsSelected(const codec::Described& value, const Selection& selection) {
  const auto encoded = EncodeSelected(value, selection);
  REQUIRE(encoded.ok());
  if (!selection.path.empty()) {
    return *codec::DecodeAs<std::vector<std::string>>(encoded->head, encoded->buffers);
  }
  const NamedRows read = *codec::DecodeAs<NamedRows>(encoded->head, encoded->buffers);
  CHECK(read.name == "name");
  return read.rows;
}

TEST_CASE("what is selected of an object is encoded: all, one range, several, of it or of a member") {
  const codec::Described value = codec::Hold(NamedRows{{"a", "b", "c", "d"}, "name"});
  for (const std::vector<uint32_t>& path : {std::vector<uint32_t>{}, {0}}) {
    CHECK(RowsSelected(value, {.path = path}).size() == 4);
    CHECK((RowsSelected(value, {.path = path, .picks = {{1, 3}}}) == std::vector<std::string>{"b", "c"}));
    CHECK((RowsSelected(value, {.path = path, .picks = {{0, 1}, {3, 4}}}) == std::vector<std::string>{"a", "d"}));
    CHECK((RowsSelected(value, {.path = path, .rows = {{{2, 4}}}}) == std::vector<std::string>{"c", "d"}));
  }
  CHECK(absl::IsInvalidArgument(EncodeSelected(value, {.picks = {{1, 5}}}).status()));
  CHECK(absl::IsInvalidArgument(EncodeSelected(value, {.path = {7}, .picks = {{0, 1}}}).status()));
}

TEST_CASE("one range of rows is encoded where it is") {
  const auto tensor = *Tensor::FromVector<float>(std::vector<float>(5000, 1));
  const auto encoded = EncodeSelected(codec::Hold(tensor), {.picks = {{1000, 5000}}});
  REQUIRE(encoded.ok());
  CHECK(encoded->buffers.at(0).data == static_cast<const std::byte*>(tensor.raw()) + 1000 * sizeof(float));
}

}  // namespace
}  // namespace twinkle::object
