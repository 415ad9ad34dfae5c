// Rows of a lazy are a plan: what they are is known without the value, and only they are read.
#include <absl/strings/match.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/unit/object/lazy_fixture.h"

namespace twinkle::object {
namespace {

using codec::Range;
using Ints = std::vector<int>;
using tests::Below;
using tests::Random;

TEST_CASE("a row view knows its size without reading, and reads only its rows (LZ2)") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2, 3}, {4, 5}, {6, 7, 8, 9}});
  const LazyPtr view = LazyCore::Rows(lazy, 3, 7);
  REQUIRE(view->Ready());
  CHECK(*view->Size() == 4);
  CHECK(f.store->asked.empty());
  CHECK(*f.Fetch<Ints>(view) == Ints{4, 5, 6, 7});
  REQUIRE(f.store->asked.size() == 2);
  CHECK(f.store->asked[0].picks == std::vector<Range>{{0, 2}});
  CHECK(f.store->asked[1].picks == std::vector<Range>{{0, 2}});
  CHECK(lazy->value() == nullptr);  // its own value was not fetched
}

TEST_CASE("rows of rows count from the first of the view") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2, 3}, {4, 5}, {6, 7, 8, 9}});
  const LazyPtr view = LazyCore::Rows(LazyCore::Rows(lazy, 2, 8), 1, 4);
  CHECK(*view->Size() == 3);
  CHECK(*f.Fetch<Ints>(view) == Ints{4, 5, 6});
  CHECK(f.store->asked.size() == 2);
  CHECK(*LazyCore::Rows(view, 3, 3)->Size() == 0);
}

TEST_CASE("a range outside the value fails with InvalidArgument and says how many rows there are") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2, 3}, {4, 5}});
  for (const Range bad : {Range{0, 6}, Range{-1, 2}, Range{4, 2}, Range{6, 6}}) {
    const LazyPtr view = LazyCore::Rows(lazy, bad.begin, bad.end);
    REQUIRE(view->Ready());
    const absl::Status status = view->Wait(base::kLongAgo);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(absl::StrContains(status.message(), "it has 5 rows"));
  }
  const LazyPtr inner = LazyCore::Rows(LazyCore::Rows(lazy, 1, 3), 0, 3);
  CHECK(absl::IsInvalidArgument(inner->Wait(base::kLongAgo)));
  CHECK(*LazyCore::Rows(lazy, 5, 5)->Size() == 0);
}

TEST_CASE("a view that is taken before the call has ended settles with it") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFlatten);
  const LazyPtr view = LazyCore::Rows(lazy, 1, 3);
  const LazyPtr inner = LazyCore::Rows(view, 0, 1);
  CHECK_FALSE(view->Ready());
  lazy->Succeed({f.store->KeepValue(Ints{1, 2}), f.store->KeepValue(Ints{3, 4})});
  CHECK(view->Ready());
  CHECK(inner->Ready());
  CHECK(*f.Fetch<Ints>(view) == Ints{2, 3});
  CHECK(*f.Fetch<Ints>(inner) == Ints{2});
}

TEST_CASE("a view of a failed call has failed, and looking at it looks at the call's failure (LZ3)") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFlatten);
  const LazyPtr view = LazyCore::Rows(LazyCore::Rows(lazy, 0, 1), 0, 1);
  lazy->Fail(absl::UnknownError("boom"));
  REQUIRE(view->Ready());
  CHECK_FALSE(lazy->failure()->looked_at());
  CHECK(absl::IsUnknown(view->Wait(base::kLongAgo)));
  CHECK(lazy->failure()->looked_at());
  CHECK(f.failures->Close().ok());
}

TEST_CASE("rows of the list of results, and of a single one") {
  LazyFixture f;
  const LazyPtr list = f.New<std::string, std::vector<std::string>>(Collect::kNone);
  list->Succeed({f.store->KeepValue(std::string("a")), f.store->KeepValue(std::string("b")),
                 f.store->KeepValue(std::string("c"))});
  const LazyPtr two = LazyCore::Rows(list, 1, 3);
  CHECK(*f.Fetch<std::vector<std::string>>(two) == std::vector<std::string>{"b", "c"});
  CHECK(f.store->asked.size() == 2);

  const LazyPtr first = f.New<Ints, Ints>(Collect::kFirst);
  first->Succeed({f.store->KeepValue(Ints{1, 2, 3})});
  CHECK(*f.Fetch<Ints>(LazyCore::Rows(first, 2, 3)) == Ints{3});
  CHECK(f.store->asked.size() == 3);
}

TEST_CASE("rows of a value that is here are sliced at once") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFirst);
  lazy->SucceedWith(std::make_shared<Ints>(Ints{1, 2, 3}));
  const LazyPtr view = LazyCore::Rows(lazy, 1, 3);
  REQUIRE(view->Ready());
  CHECK(*static_cast<const Ints*>(view->value().get()) == Ints{2, 3});
  CHECK(*f.Fetch<Ints>(LazyCore::Rows(view, 1, 2)) == Ints{3});
  CHECK(f.store->asked.empty());
}

TEST_CASE("rows of a value that is only known when it is joined make it be fetched") {
  LazyFixture f;
  LazyOrigin origin = f.Origin<Ints, Ints>(Collect::kNone);
  origin.own_collect = [](const std::vector<void*>& results, const DeviceMesh*, void* out) {
    *static_cast<Ints*>(out) = *static_cast<const Ints*>(results.at(1));
    return absl::OkStatus();
  };
  const auto lazy = std::make_shared<LazyCore>(std::move(origin));
  lazy->Succeed({f.store->KeepValue(Ints{1}), f.store->KeepValue(Ints{2, 3, 4})});
  const LazyPtr view = LazyCore::Rows(lazy, 1, 3);
  CHECK_FALSE(view->Ready());
  f.Finish();
  REQUIRE(view->Ready());
  CHECK(*f.Fetch<Ints>(view) == Ints{3, 4});
  CHECK(f.store->asked.size() == 2);
}

TEST_CASE("a view whose source cannot be fetched fails as it does (LZ3)") {
  LazyFixture f;
  LazyOrigin origin = f.Origin<Ints, Ints>(Collect::kNone);
  origin.own_collect = [](const std::vector<void*>&, const DeviceMesh*, void*) { return absl::OkStatus(); };
  const auto lazy = std::make_shared<LazyCore>(std::move(origin));
  lazy->Succeed({f.store->KeepValue(Ints{1})});
  f.store->Fail(absl::DataLossError("the owner is gone"));
  const LazyPtr view = LazyCore::Rows(lazy, 0, 1);
  f.Finish();
  REQUIRE(view->Ready());
  CHECK(absl::IsDataLoss(view->Wait(base::kLongAgo)));
  CHECK(lazy->failure()->looked_at());
}

TEST_CASE("the rows of a struct are those of all its lists") {
  struct Columns {
    Ints ids;
    Tensor scores;
    bool operator==(const Columns&) const = default;
  };
  LazyFixture f;
  const auto scores = [](std::vector<float> values) { return *Tensor::FromVector<float>(std::move(values)); };
  const LazyPtr lazy = f.New<Columns, Columns>(Collect::kFlatten);
  lazy->Succeed({f.store->KeepValue(Columns{{1, 2}, scores({1, 2})}), f.store->KeepValue(Columns{{3}, scores({3})})});
  CHECK((*f.Fetch<Columns>(LazyCore::Rows(lazy, 1, 3)) == Columns{{2, 3}, scores({2, 3})}));
  const LazyPtr uneven = f.New<Columns, Columns>(Collect::kFlatten);
  uneven->Succeed({f.store->KeepValue(Columns{{1, 2}, scores({1})})});
  CHECK(absl::IsInvalidArgument(LazyCore::Rows(uneven, 0, 1)->Wait(base::kLongAgo)));
}

TEST_CASE("rows of rows of random lists are the same rows of the list") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    LazyFixture f;
    Ints expected;
    std::vector<Ints> lists(static_cast<size_t>(1 + Below(random, 4)));
    for (Ints& list : lists) {
      for (int i = Below(random, 6); i > 0; --i) list.push_back(Below(random, 1000));
      expected.insert(expected.end(), list.begin(), list.end());
    }
    LazyPtr lazy = f.Lists(lists);
    for (int depth = Below(random, 4); depth >= 0; --depth) {
      const int begin = Below(random, static_cast<int>(expected.size()) + 1);
      const int end = begin + Below(random, static_cast<int>(expected.size()) - begin + 1);
      lazy = LazyCore::Rows(lazy, begin, end);
      expected = Ints(expected.begin() + begin, expected.begin() + end);
    }
    CHECK(*lazy->Size() == static_cast<int64_t>(expected.size()));
    const Ints* value = f.Fetch<Ints>(lazy);
    REQUIRE(value != nullptr);
    CHECK(*value == expected);
    CHECK(f.store->asked.size() <= std::max<size_t>(1, lists.size()));
  }
}

// A part of a view, as a call that takes it as an argument plans it.
TEST_CASE("the pieces of a part of a view are pieces of the shards") {
  LazyFixture f;
  const LazyPtr view = LazyCore::Rows(f.Lists({{1, 2, 3}, {4, 5}, {6, 7}}), 1, 6);
  const LazyPlan plan = *view->made_of().Plan();
  CHECK(view->rows().at(0).rows == 5);
  const std::vector<PartRead> part = ReadsOf(*TakeRange(plan, {1, 4}));
  REQUIRE(part.size() == 1);
  REQUIRE(part[0].pieces.size() == 2);
  CHECK(part[0].pieces[0].source == 0);
  CHECK(part[0].pieces[0].picks == std::vector<Range>{{2, 3}});
  CHECK(part[0].pieces[1].source == 1);
  CHECK(part[0].pieces[1].picks == std::vector<Range>{{0, 2}});
  CHECK(part[0].order.empty());
  const std::vector<PartRead> whole = ReadsOf(plan);
  REQUIRE(whole.at(0).pieces.size() == 3);
  CHECK(whole[0].pieces[2].picks == std::vector<Range>{{0, 1}});
}

TEST_CASE("rows of results whose lists differ in length, but add up, are those of the value") {
  struct Columns {
    Ints ids;
    Ints more;
  };
  LazyFixture f;
  const LazyPtr lazy = f.New<Columns, Columns>(Collect::kFlatten);
  lazy->Succeed({f.store->KeepValue(Columns{{1, 2}, {7}}), f.store->KeepValue(Columns{{3}, {8, 9}})});
  const LazyPtr view = LazyCore::Rows(lazy, 1, 3);
  const Columns* const rows = f.Fetch<Columns>(view);
  REQUIRE(rows != nullptr);
  CHECK(rows->ids == Ints{2, 3});
  CHECK(rows->more == Ints{8, 9});
}

TEST_CASE("rows of a list of results that came along with the replies are not asked for again") {
  LazyFixture f;
  const LazyPtr list = f.New<std::string, std::vector<std::string>>(Collect::kNone);
  list->Succeed({f.store->KeepValue(std::string("a"), true), f.store->KeepValue(std::string("b"), true)});
  CHECK(*f.Fetch<std::vector<std::string>>(LazyCore::Rows(list, 1, 2)) == std::vector<std::string>{"b"});
  CHECK(f.Fetch<std::vector<std::string>>(LazyCore::Rows(list, 1, 1))->empty());
  CHECK(f.store->asked.empty());
}

TEST_CASE("rows of tensors are of the dtype of the whole value, whichever ranks they come from") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Tensor, Tensor>(Collect::kFlatten);
  lazy->Succeed(
      {f.store->KeepValue(*Tensor::FromVector<float>({1, 2})), f.store->KeepValue(*Tensor::FromVector<double>({3}))});
  CHECK(*f.Fetch<Tensor>(LazyCore::Rows(LazyCore::Rows(lazy, 0, 2), 1, 2)) == *Tensor::FromVector<double>({2}));
}

}  // namespace
}  // namespace twinkle::object
