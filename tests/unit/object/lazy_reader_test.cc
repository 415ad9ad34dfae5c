#include "runtime/object/lazy_reader.h"

#include <absl/strings/match.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/object/lazy_fixture.h"

namespace twinkle::object {
namespace {

using Words = std::vector<std::string>;

// One value of lists, read from the fixture's store.
struct ReadingFixture : LazyFixture {
  Shards Keep(const std::vector<Words>& lists, bool carried) const {
    Shards shards;
    for (const Words& list : lists) shards.push_back(store->KeepValue(list, carried));
    return shards;
  }
  void Read(Shards shards, bool here) {
    rows = RowsOfShards(origin, std::move(shards));
    Read(here);
  }
  void Read(bool here) {
    ReadLazy(origin, rows, here, [this](auto made) {
      ++runs;
      answer = std::move(made);
    });
  }
  const Words& value() const { return *static_cast<const Words*>(origin.answer.value(answer->get())); }

  const LazyOrigin origin = Origin<Words, Words>(Collect::kFlatten);
  LazyRows rows;
  int runs = 0;
  absl::StatusOr<std::shared_ptr<void>> answer = absl::UnknownError("not yet");
};

TEST_CASE("what came along is joined by who asks, and asks nobody") {
  ReadingFixture f;
  f.Read(f.Keep({{"a", "b"}, {"c"}}, /*carried=*/true), /*here=*/true);
  REQUIRE(f.runs == 1);
  CHECK(f.value() == Words{"a", "b", "c"});
  CHECK(f.store->asked.empty());
}

TEST_CASE("what came along is joined on the collector when the asking thread may not") {
  ReadingFixture f;
  f.Read(f.Keep({{"a"}, {"b"}}, /*carried=*/true), /*here=*/false);
  CHECK(f.runs == 0);
  CHECK(f.executor.Ready() == std::vector<std::string>{"collect"});
  f.executor.RunAll();
  REQUIRE(f.runs == 1);
  CHECK(f.value() == Words{"a", "b"});
}

TEST_CASE("parts that are brought are joined once, in their order, after the last") {
  ReadingFixture f;
  Shards shards = f.Keep({{"a"}, {"b"}}, /*carried=*/false);
  shards.push_back(f.store->KeepValue(Words{"c"}, /*carried=*/true));
  f.Read(std::move(shards), /*here=*/true);
  CHECK(f.store->asked.size() == 2);
  f.executor.RunAll();
  CHECK(f.runs == 0);
  f.Finish();
  REQUIRE(f.runs == 1);
  CHECK(f.value() == Words{"a", "b", "c"});
}

TEST_CASE("a part that cannot be brought is why there is no answer, which names the call") {
  ReadingFixture f;
  f.store->Fail(absl::DataLossError("the owner is gone"));
  f.Read(f.Keep({{"a"}, {"b"}}, /*carried=*/false), /*here=*/true);
  f.Finish();
  CHECK(f.runs == 1);
  CHECK(absl::IsDataLoss(f.answer.status()));
  CHECK(absl::StrContains(f.answer.status().message(), "collecting Policy.Train [train.cc:7]"));
}

TEST_CASE("of a view only its rows are brought, though the replies brought all") {
  ReadingFixture f;
  const LazyRows whole = RowsOfShards(f.origin, f.Keep({{"a", "b"}, {"c", "d"}}, /*carried=*/true));
  f.rows.plan = *TakeRange(*whole.Plan(), {1, 2});
  f.Read(/*here=*/true);
  f.Finish();
  REQUIRE(f.runs == 1);
  CHECK(f.value() == Words{"b"});
  CHECK(f.store->asked.size() == 1);
}

TEST_CASE("values of this process that a plan needs are copied on the collector, not where nobody may wait") {
  ReadingFixture f;
  f.rows.plan = *TakeRows(*PlanOfValue(codec::Hold(Words{"a", "b", "c"})), {2, 0});
  f.Read(/*here=*/false);
  CHECK(f.runs == 0);
  CHECK(f.executor.Ready() == std::vector<std::string>{"collect"});
  f.Finish();
  REQUIRE(f.answer.ok());
  CHECK(f.value() == Words{"c", "a"});
}

}  // namespace
}  // namespace twinkle::object
