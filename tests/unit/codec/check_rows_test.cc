#include "runtime/codec/check_rows.h"

#include <map>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using Kind = RowNode::Kind;

RowNode Tree(uint32_t children) { return {Kind::kTree, "", -1, children}; }
RowNode List(int64_t rows) { return {Kind::kList, "", rows, 0}; }
const RowNode kWhole = {Kind::kWhole, "", -1, 0};

TEST_CASE("the rows of any value pass") {
  CHECK(CheckRows({kWhole}).ok());
  CHECK(CheckRows({List(0)}).ok());
  CHECK(CheckRows({Tree(0)}).ok());
  CHECK(CheckRows({Tree(2), List(3), Tree(2), List(3), kWhole}).ok());
  const std::map<std::string, std::vector<int64_t>> value = {{"a", {1, 2}}, {"b", {3}}};
  CHECK(CheckRows(RowsOf(internal::kType<std::map<std::string, std::vector<int64_t>>>, &value)).ok());
}

TEST_CASE("rows that are no tree are refused") {
  CHECK(absl::IsInvalidArgument(CheckRows({})));
  CHECK(absl::IsInvalidArgument(CheckRows({Tree(1)})));                    // a child is missing
  CHECK(absl::IsInvalidArgument(CheckRows({Tree(UINT32_MAX), List(1)})));  // many are
  CHECK(absl::IsInvalidArgument(CheckRows({List(1), List(1)})));           // one is left over
  CHECK(absl::IsInvalidArgument(CheckRows({Tree(1), List(1), List(1)})));  // likewise
  CHECK(absl::IsInvalidArgument(CheckRows({{Kind::kList, "", 3, 1}, kWhole})));
  CHECK(absl::IsInvalidArgument(CheckRows({{static_cast<Kind>(9), "", -1, 0}})));
  CHECK(absl::IsInvalidArgument(CheckRows({{Kind::kWhole, "", 5, 0}})));
  for (const int64_t rows : {int64_t{-1}, int64_t{INT64_MIN}, kMostRows + 1, int64_t{INT64_MAX}}) {
    CHECK(absl::IsInvalidArgument(CheckRows({List(rows)})));
  }
}

TEST_CASE("rows deeper than any value are refused") {
  Rows deep(10'000'000, Tree(1));
  deep.push_back(List(1));
  CHECK(absl::IsInvalidArgument(CheckRows(deep)));
}

TEST_CASE("ranges begin at 0 or later, and end no earlier") {
  CHECK(CheckRanges(std::vector<Range>{{0, 0}, {0, 5}, {3, 4}}).ok());
  for (const Range& wrong : std::vector<Range>{{-1, 0}, {2, 1}, {0, kMostRows + 1}, {INT64_MIN, INT64_MAX}}) {
    CHECK(absl::IsInvalidArgument(CheckRanges({&wrong, 1})));
  }
}

}  // namespace
}  // namespace twinkle::codec
