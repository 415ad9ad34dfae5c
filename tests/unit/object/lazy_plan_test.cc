// Plans over lazies: what they are is known without the values; what is read is what is left, each row once.
#include "runtime/object/lazy_plan.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/unit/object/lazy_fixture.h"

namespace twinkle::object {

struct Pairs {
  std::vector<int> ids;
  Tensor weights;
};
struct Labelled {
  std::vector<int> ids = {7};
  std::string name;
};
struct Nested {
  Pairs pairs;
  std::string name;
};

namespace {

using codec::Range;
using Ints = std::vector<int>;
using Indices = std::vector<int64_t>;
using tests::Below;
using tests::Random;

LazyPtr Take(const LazyPtr& lazy, Indices rows) {
  return LazyCore::Planned({lazy}, "some rows", *lazy->type(), lazy->origin().answer,
                           [rows = std::move(rows)](auto inputs) { return TakeRows(inputs[0], rows); });
}
LazyPtr Repeat(const LazyPtr& lazy, int64_t times) {
  return LazyCore::Planned({lazy}, "repeated", *lazy->type(), lazy->origin().answer,
                           [times](auto inputs) { return RepeatRows(inputs[0], times); });
}
LazyPtr Concat(const std::vector<LazyPtr>& lazies) {
  return LazyCore::Planned(lazies, "joined", *lazies[0]->type(), lazies[0]->origin().answer,
                           [](auto inputs) { return ConcatRows(inputs); });
}
template <class M>
LazyPtr Field(const LazyPtr& lazy, uint32_t member) {
  return LazyCore::Planned({lazy}, "a member", internal::kType<M>, internal::AnswerOpsFor<M>(),
                           [member](auto inputs) { return FieldOf(inputs[0], member); });
}
template <class T>
LazyPtr Record(const std::vector<LazyPtr>& members) {
  return LazyCore::Planned(members, "a struct", internal::kType<T>, internal::AnswerOpsFor<T>(),
                           [](auto inputs) { return RecordOf(inputs); });
}
Tensor Floats(const std::vector<float>& values) { return *Tensor::FromVector<float>(values); }

// How many rows the pulls asked for.
int64_t RowsAsked(const FakeStore& store) {
  int64_t rows = 0;
  for (const auto& asked : store.asked) {
    for (const Range& pick : asked.picks) rows += pick.size();
  }
  return rows;
}

TEST_CASE("rows taken in any order, each as often as named, are read once each, one pull a shard") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{10, 11, 12}, {20, 21}, {30, 31, 32, 33}});
  const LazyPtr taken = Take(lazy, {8, 0, 0, 1, 4, 8, 2});
  REQUIRE(taken->Ready());
  CHECK(*taken->Size() == 7);
  CHECK(f.store->asked.empty());
  CHECK(*f.Fetch<Ints>(taken) == Ints{33, 10, 10, 11, 21, 33, 12});
  REQUIRE(f.store->asked.size() == 3);
  CHECK(f.store->asked[0].picks == std::vector<Range>{{3, 4}});
  CHECK(f.store->asked[1].picks == std::vector<Range>{{0, 3}});
  CHECK(f.store->asked[2].picks == std::vector<Range>{{1, 2}});
  CHECK(lazy->value() == nullptr);
}

TEST_CASE("plans of plans are as the same operations on the collected list") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    LazyFixture f;
    std::vector<std::pair<LazyPtr, Ints>> made;
    int next = 0;
    const auto base = [&] {
      std::vector<Ints> lists(static_cast<size_t>(1 + Below(random, 4)));
      Ints all;
      for (Ints& list : lists) {
        for (int i = Below(random, 4); i > 0; --i) list.push_back(next++);
        all.insert(all.end(), list.begin(), list.end());
      }
      made.emplace_back(f.Lists(lists), all);
    };
    base();
    base();
    for (int step = 0; step < 8; ++step) {
      const auto [lazy, list] = made[random() % made.size()];
      const int64_t rows = static_cast<int64_t>(list.size());
      Ints expected;
      switch (Below(random, 4)) {
        case 0: {
          const int64_t begin = static_cast<int64_t>(random() % static_cast<uint64_t>(rows + 1));
          const int64_t end = begin + static_cast<int64_t>(random() % static_cast<uint64_t>(rows - begin + 1));
          made.emplace_back(LazyCore::Rows(lazy, begin, end), Ints(list.begin() + begin, list.begin() + end));
          break;
        }
        case 1: {
          Indices indices(rows == 0 ? 0 : random() % 8);
          for (int64_t& index : indices) {
            index = static_cast<int64_t>(random() % static_cast<uint64_t>(rows));
            expected.push_back(list[static_cast<size_t>(index)]);
          }
          made.emplace_back(Take(lazy, indices), expected);
          break;
        }
        case 2: {
          const int64_t times = Below(random, 3);
          for (int item : list) expected.insert(expected.end(), static_cast<size_t>(times), item);
          made.emplace_back(Repeat(lazy, times), expected);
          break;
        }
        default: {
          const auto [other, others] = made[random() % made.size()];
          expected = list;
          expected.insert(expected.end(), others.begin(), others.end());
          made.emplace_back(Concat({lazy, other}), expected);
        }
      }
    }
    for (const auto& [lazy, expected] : made) {
      INFO(lazy->origin().what.text());
      REQUIRE(lazy->Ready());
      REQUIRE(lazy->status().ok());
      CHECK(*lazy->Size() == static_cast<int64_t>(expected.size()));
      f.store->asked.clear();
      const Ints* const value = f.Fetch<Ints>(lazy);
      REQUIRE(value != nullptr);
      CHECK(*value == expected);
      if (lazy->made_of().plan) {  // each row once
        CHECK(RowsAsked(*f.store) == static_cast<int64_t>(std::set<int>(expected.begin(), expected.end()).size()));
      }
    }
  }
}

TEST_CASE("a member of a struct is read alone; a struct is made of members that are elsewhere") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Pairs, Pairs>(Collect::kFlatten);
  lazy->Succeed({f.store->KeepValue(Pairs{{1, 2}, Floats({0.1F, 0.2F})}),
                 f.store->KeepValue(Pairs{{3, 4, 5}, Floats({0.3F, 0.4F, 0.5F})})});
  const LazyPtr weights = Field<Tensor>(lazy, 1);
  const LazyPtr some = Take(weights, {4, 0});
  CHECK(*f.Fetch<Tensor>(some) == Floats({0.5F, 0.1F}));
  for (const auto& asked : f.store->asked) CHECK(asked.path == std::vector<uint32_t>{1});

  const LazyPtr own = f.New<Tensor, Tensor>(Collect::kFirst);
  own->SucceedWith(std::make_shared<Tensor>(Floats({7, 8, 9, 10, 11})));  // a value of this process
  const LazyPtr made = Record<Pairs>({Field<Ints>(lazy, 0), own});
  REQUIRE(made->Ready());
  CHECK(*made->Size() == 5);
  CHECK(made->rows() ==
        codec::RowsOf(internal::kType<Pairs>,
                      std::make_shared<Pairs>(Pairs{{1, 2, 3, 4, 5}, Floats({7, 8, 9, 10, 11})}).get()));
  const LazyPtr shuffled = Concat({Take(made, {4, 1}), Take(lazy, {0})});  // of members, and whole
  const Pairs* const value = f.Fetch<Pairs>(shuffled);
  REQUIRE(value != nullptr);
  CHECK(value->ids == Ints{5, 2, 1});
  CHECK(value->weights == Floats({11, 8, 0.1F}));

  const LazyPtr name = f.New<std::string, std::string>(Collect::kFirst);
  name->Succeed({f.store->KeepValue(std::string("x"))});
  const LazyPtr nested = Take(Record<Nested>({made, name}), {3, 3});
  const Nested* const inner = f.Fetch<Nested>(nested);
  REQUIRE(inner != nullptr);
  CHECK(inner->pairs.ids == Ints{4, 4});
  CHECK(inner->name == "x");
  CHECK(*f.Fetch<Tensor>(Field<Tensor>(Field<Pairs>(nested, 0), 1)) == Floats({10, 10}));
}

TEST_CASE("a list of results is a plan of items, which may stand beside items of other lists") {
  LazyFixture f;
  const LazyPtr list = f.New<int, Ints>(Collect::kNone);
  list->Succeed({f.store->KeepValue(10), f.store->KeepValue(11), f.store->KeepValue(12)});
  const LazyPtr taken = Take(list, {2, 0, 2});
  REQUIRE(taken->Ready());
  CHECK(*taken->Size() == 3);
  CHECK(f.store->asked.empty());
  CHECK(*f.Fetch<Ints>(taken) == Ints{12, 10, 12});
  REQUIRE(f.store->asked.size() == 2);  // each once
  for (const auto& asked : f.store->asked) CHECK(asked.picks.empty());

  const LazyPtr own = f.New<Ints, Ints>(Collect::kFirst);
  own->SucceedWith(std::make_shared<Ints>(Ints{7}));
  const LazyPtr mixed = Concat({LazyCore::Rows(list, 1, 3), f.Lists({{20, 21}, {22}}), own, list});
  CHECK(mixed->rows() == codec::RowsOf(internal::kType<Ints>, std::make_shared<Ints>(9).get()));
  CHECK(*f.Fetch<Ints>(mixed) == Ints{11, 12, 20, 21, 22, 7, 10, 11, 12});
  CHECK(*f.Fetch<Ints>(Take(mixed, {8, 2, 0})) == Ints{12, 20, 11});
  CHECK(f.Fetch<Ints>(Take(list, {}))->empty());

  const LazyPtr tensor = f.New<Tensor, Tensor>(Collect::kFirst);
  tensor->Succeed({f.store->KeepValue(Floats({1, 2, 3}))});
  const LazyPtr made = Record<Pairs>({list, tensor});
  CHECK(f.Fetch<Pairs>(Take(made, {1}))->ids == Ints{11});
  const LazyPtr bools = f.New<bool, std::vector<bool>>(Collect::kNone);
  bools->Succeed({f.store->KeepValue(true), f.store->KeepValue(false)});
  CHECK(*f.Fetch<std::vector<bool>>(Take(bools, {1, 0})) == std::vector<bool>{false, true});
}

TEST_CASE("a value of this process is not moved away under a plan") {
  LazyFixture f;
  LazyPtr own = f.New<Ints, Ints>(Collect::kFirst);
  own->SucceedWith(std::make_shared<Ints>(Ints{1, 2, 3}));
  const LazyPtr taken = Take(own, {2, 0});
  CHECK(own.use_count() > 1);  // so that Get() of an rvalue copies
  own = nullptr;
  CHECK(*f.Fetch<Ints>(taken) == Ints{3, 1});
}

TEST_CASE("members without rows go along when rows are taken; members with items from the start get no more") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Labelled, Labelled>(Collect::kFirst);
  lazy->Succeed({f.store->KeepValue(Labelled{{1, 2, 3}, "name"})});
  const LazyPtr some = Take(lazy, {2, 0, 0});
  const Labelled* const taken = f.Fetch<Labelled>(some);
  REQUIRE(taken != nullptr);
  CHECK(taken->ids == Ints{3, 1, 1});
  CHECK(taken->name == "name");
}

TEST_CASE("a plan that makes no sense fails with InvalidArgument, saying why") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2, 3}});
  const auto told = [](const LazyPtr& bad) { return std::string(bad->Wait(base::kLongAgo).message()); };
  CHECK(absl::StrContains(told(Take(lazy, {0, 3})), "it has 3 rows, there is no row 3"));
  CHECK(absl::StrContains(told(Take(lazy, {-1})), "there is no row -1"));
  CHECK(absl::StrContains(told(Repeat(lazy, int64_t{1} << 60)), "too many"));
  CHECK(absl::StrContains(told(Repeat(lazy, -2)), "cannot be repeated -2 times"));
  CHECK(absl::StrContains(told(LazyCore::Rows(Take(lazy, {0, 1}), 1, 3)), "it has 2 rows"));
  const LazyPtr tensor = f.New<Tensor, Tensor>(Collect::kFirst);
  tensor->SucceedWith(std::make_shared<Tensor>(Floats({1, 2})));
  CHECK(absl::StrContains(told(Record<Pairs>({lazy, tensor})), "3 and 2 rows"));
  const LazyPtr number = f.New<int, int>(Collect::kFirst);
  number->SucceedWith(std::make_shared<int>(5));
  CHECK(absl::StrContains(told(Take(number, {})), "it has no rows"));
}

TEST_CASE("a plan fails as the first of its lazies that failed, and waits for all of them") {
  LazyFixture f;
  const LazyPtr late = f.New<Ints, Ints>(Collect::kFlatten);
  const LazyPtr bad = f.New<Ints, Ints>(Collect::kFlatten);
  const LazyPtr joined = Concat({late, bad});
  bad->Fail(absl::DataLossError("it is gone"));
  CHECK_FALSE(joined->Ready());
  late->Succeed({f.store->KeepValue(Ints{1})});
  REQUIRE(joined->Ready());
  CHECK(absl::IsDataLoss(joined->Wait(base::kLongAgo)));
}

TEST_CASE("sources that no row is left of are let go") {
  LazyFixture f;
  LazyPtr lazy = f.Lists({{1, 2}, {3}, {4, 5}});
  const LazyPtr some = Take(lazy, {4, 0});
  lazy = nullptr;
  CHECK(f.store->released == std::vector<uint64_t>{2});
}

}  // namespace
}  // namespace twinkle::object
