#include "runtime/actor/wire_lazy.h"

#include <optional>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/object/lazy_fixture.h"

namespace twinkle::actor {
namespace {

using codec::Range;
using internal::LazyCore;
using object::LazyFixture;
using object::LazyPtr;
using IntList = std::vector<int>;

struct TwoLists {
  IntList first;
  IntList second;
};

TEST_CASE("rows that are ranges are one range for each object in a message") {
  LazyFixture f;
  const LazyPtr view = LazyCore::Rows(f.Lists({{1, 2, 3}, {4, 5}, {6}}), 1, 6);
  const auto whole = std::get<PlannedArgument>(*WireRows(view->made_of(), {}));
  CHECK(whole.parts.empty());
  REQUIRE(whole.pieces.size() == 3);
  CHECK(whole.pieces[0].picks == std::vector<Range>{{1, 3}});
  const auto part = std::get<PlannedArgument>(*WireRows(view->made_of(), {.whole = false, .ranges = {{1, 3}}}));
  CHECK(part.parts.empty());
  REQUIRE(part.pieces.size() == 2);
  CHECK(part.pieces[0].picks == std::vector<Range>{{2, 3}});
  CHECK(part.pieces[1].picks == std::vector<Range>{{0, 1}});
}

TEST_CASE("a reference says what its lazy is made of, and another is made of the same") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2, 3}, {4, 5}});
  const LazyPtr list = f.New<int, IntList>(Collect::kNone);
  list->Succeed({f.store->KeepValue(7), f.store->KeepValue(8)});
  for (const LazyPtr& one : {lazy, LazyCore::Rows(lazy, 2, 4), list, LazyCore::Rows(list, 1, 2)}) {
    const auto reference = std::get<LazyArgument>(*WireReference(*one));
    CHECK_FALSE(reference.value);
    REQUIRE(CheckFits(reference, &internal::kType<IntList>).ok());
    internal::LazyOrigin origin = f.Origin<IntList, IntList>(Collect::kMean);  // which nobody applies
    origin.as_it_is = true;
    const auto other = std::make_shared<LazyCore>(std::move(origin));
    other->SucceedAs(MadeOf(reference, f.store));
    CHECK(other->rows() == one->rows());
    CHECK(*f.Fetch<IntList>(other) == *f.Fetch<IntList>(one));
  }
}

TEST_CASE("a reference that the parameter cannot be made of is refused") {
  const codec::Rows rows = {{codec::RowNode::Kind::kList, "", 4, 0}};
  LazyArgument lazy;
  CHECK(CheckFits(lazy, nullptr).ok());
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, &internal::kType<IntList>)));  // of nothing
  lazy.sources = {{{3, 9}, {}, rows}};
  CHECK(CheckFits(lazy, &internal::kType<IntList>).ok());
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, nullptr)));  // a void value
  lazy.parts = {{{1}, false, {{0, 1, 3}}}};
  CHECK(CheckFits(lazy, &internal::kType<TwoLists>).ok());
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, &internal::kType<IntList>)));  // it has no members
  lazy.parts = {{{2}, false, {{0, 1, 3}}}};
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, &internal::kType<TwoLists>)));  // nor this one so many
  lazy.sources = {{{3, 9}, {}, {}, true}};
  lazy.parts.clear();
  CHECK(CheckFits(lazy, &internal::kType<IntList>).ok());
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, &internal::kType<int>)));  // no list
  lazy.parts = {{{}, false, {{0, 0, 1}}}};
  CHECK(absl::IsInvalidArgument(CheckFits(lazy, &internal::kType<TwoLists>)));
}

}  // namespace
}  // namespace twinkle::actor
