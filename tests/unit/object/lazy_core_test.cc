#include "runtime/object/lazy_core.h"

#include <absl/strings/match.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/object/lazy_fixture.h"

namespace twinkle::object {
namespace {

using Ints = std::vector<int>;

// ---- settling ----------------------------------------------------------------------------------
TEST_CASE("a lazy settles once, and tells those who wait after that (LZ1)") {
  LazyFixture f;
  const LazyPtr lazy = f.NewVoid();
  Counter told;
  bool ready_inside = false;
  lazy->OnSettled(told.task());
  lazy->OnSettled([&] { ready_inside = lazy->Ready(); });
  CHECK_FALSE(lazy->Ready());
  CHECK(told.runs() == 0);
  lazy->Succeed({});
  CHECK(lazy->Ready());
  CHECK(told.runs() == 1);
  CHECK(ready_inside);
  lazy->Fail(absl::UnknownError("too late"));
  lazy->Succeed({});
  lazy->End();
  lazy->SucceedWith(nullptr);
  CHECK(lazy->status().ok());
  CHECK_FALSE(lazy->ended());
  CHECK(told.runs() == 1);
  CHECK(f.failures->Close().ok());  // nobody failed
}

TEST_CASE("what is registered after it settled runs at once (LZ1)") {
  LazyFixture f;
  Counter told;
  for (const bool good : {true, false}) {
    const LazyPtr lazy = f.NewVoid();
    if (good) {
      lazy->Succeed({});
    } else {
      lazy->Fail(absl::UnknownError("boom"));
    }
    lazy->OnSettled(told.task());
  }
  CHECK(told.runs() == 2);
  f.failures->Close().IgnoreError();
}

TEST_CASE("a task that registers another one while it runs does no harm (LZ1)") {
  LazyFixture f;
  const LazyPtr lazy = f.NewVoid();
  Counter inner;
  lazy->OnSettled([&] { lazy->OnSettled(inner.task()); });
  lazy->Succeed({});
  CHECK(inner.runs() == 1);
}

TEST_CASE("the end of an iteration is no value and no failure") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFlatten);
  CHECK_FALSE(lazy->ended());
  lazy->End();
  CHECK(lazy->Ready());
  CHECK(lazy->ended());
  CHECK(lazy->status().ok());
}

TEST_CASE("Wait ends with the call, or at its deadline") {
  LazyFixture f;
  const LazyPtr lazy = f.NewVoid();
  const absl::Status late = lazy->Wait(base::Now());
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK(absl::StrContains(late.message(), "Policy.Train [train.cc:7]"));
  lazy->Succeed({});
  CHECK(lazy->Wait(base::kLongAgo).ok());
}

// ---- fetching ----------------------------------------------------------------------------------
TEST_CASE("nothing is pulled until somebody asks, and then once, whoever else does (LZ2)") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2}, {}, {3}});
  f.Finish();
  CHECK(lazy->Ready());
  CHECK(*lazy->Size() == 3);
  CHECK(f.store->asked.empty());
  Counter answered;
  lazy->OnAnswered(answered.task());
  lazy->OnAnswered(answered.task());
  CHECK(f.store->asked.size() == 3);
  CHECK(answered.runs() == 0);
  CHECK(lazy->value() == nullptr);
  f.Finish();
  CHECK(answered.runs() == 2);
  CHECK(*f.Fetch<Ints>(lazy) == Ints{1, 2, 3});
  const auto* answer = static_cast<const absl::StatusOr<Ints>*>(lazy->Answer());
  CHECK(**answer == Ints{1, 2, 3});
  CHECK(lazy->Answer() == answer);
  CHECK(f.store->asked.size() == 3);
}

TEST_CASE("results are joined on the collector when nobody waits in Get (LZ2)") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1}, {2}});
  Counter answered;
  lazy->OnAnswered(answered.task());
  f.store->Answer();
  CHECK(answered.runs() == 0);
  CHECK(f.executor.Ready() == std::vector<std::string>{"collect"});
  f.executor.RunAll();
  CHECK(answered.runs() == 1);
}

TEST_CASE("asking before it settles fetches as soon as it does (LZ2)") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFlatten);
  Counter answered;
  lazy->OnAnswered(answered.task());
  CHECK(f.store->asked.empty());
  lazy->Succeed({f.store->KeepValue(Ints{5})});
  f.Finish();
  CHECK(answered.runs() == 1);
  CHECK(f.store->asked.size() == 1);
}

TEST_CASE("results that came along with the replies are not pulled (LZ2)") {
  LazyFixture f;
  const LazyPtr lazy = f.Lists({{1, 2}, {3}}, /*carried=*/true);
  CHECK(**static_cast<const absl::StatusOr<Ints>*>(lazy->Answer()) == Ints{1, 2, 3});
  CHECK(f.store->asked.empty());
}

TEST_CASE("each rule joins what its shards hold") {
  LazyFixture f;
  const LazyPtr first = f.New<std::string, std::string>(Collect::kFirst);
  first->Succeed({f.store->KeepValue(std::string("a"))});
  CHECK(*f.Fetch<std::string>(first) == "a");
  const LazyPtr list = f.New<std::string, std::vector<std::string>>(Collect::kNone);
  list->Succeed({f.store->KeepValue(std::string("a")), f.store->KeepValue(std::string("b"))});
  CHECK(*f.Fetch<std::vector<std::string>>(list) == std::vector<std::string>{"a", "b"});
  const LazyPtr sum = f.New<int, int64_t>(Collect::kSum);
  sum->Succeed({f.store->KeepValue(2), f.store->KeepValue(3)});
  CHECK(*f.Fetch<int64_t>(sum) == 5);
}

TEST_CASE("a lazy's references are given back, each once, when nobody holds it any more") {
  LazyFixture f;
  LazyPtr lazy = f.Lists({{1}, {2}});
  LazyPtr view = LazyCore::Rows(lazy, 0, 2);
  lazy = nullptr;
  CHECK(f.store->released.empty());
  view = nullptr;
  CHECK(f.store->released.size() == 2);
}

TEST_CASE("a void lazy is answered when it has settled: there is nothing to fetch") {
  LazyFixture f;
  Counter answered;
  const LazyPtr before = f.NewVoid();
  before->OnAnswered(answered.task());
  before->Succeed({});
  const LazyPtr after = f.NewVoid();
  after->Succeed({});
  after->OnAnswered(answered.task());
  f.Finish();
  CHECK(answered.runs() == 2);
}

TEST_CASE("a value that is here needs no fetching") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFirst);
  lazy->SucceedWith(std::make_shared<Ints>(Ints{1, 2}));
  Counter answered;
  lazy->OnAnswered(answered.task());
  CHECK(answered.runs() == 1);
  CHECK(*static_cast<const Ints*>(lazy->value().get()) == Ints{1, 2});
  CHECK(*lazy->Size() == 2);
}

absl::Status Longest(const std::vector<void*>& results, const DeviceMesh* mesh, void* out) {
  if (mesh != nullptr) return absl::InternalError("no mesh was given");
  for (const void* result : results) {
    const Ints& list = *static_cast<const Ints*>(result);
    if (list.size() > static_cast<Ints*>(out)->size()) *static_cast<Ints*>(out) = list;
  }
  return absl::OkStatus();
}

TEST_CASE("own collect functions get all results whole, and their result's size needs the value") {
  LazyFixture f;
  LazyOrigin origin = f.Origin<Ints, Ints>(Collect::kNone);
  origin.own_collect = &Longest;
  const auto lazy = std::make_shared<LazyCore>(std::move(origin));
  lazy->Succeed({f.store->KeepValue(Ints{1}, true), f.store->KeepValue(Ints{2, 3}, true)});
  CHECK_FALSE(lazy->made_of().join);
  CHECK(*lazy->Size() == 2);
  CHECK(*f.Fetch<Ints>(lazy) == Ints{2, 3});
}

TEST_CASE("what has no rows, or no one number of them, has no size") {
  LazyFixture f;
  const LazyPtr nothing = f.NewVoid();
  nothing->Succeed({});
  CHECK(absl::IsInvalidArgument(nothing->Size().status()));
  const LazyPtr number = f.New<int, int>(Collect::kFirst);
  number->Succeed({f.store->KeepValue(5)});
  const absl::Status status = number->Size().status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(absl::StrContains(status.message(), "Policy.Train [train.cc:7]"));
}

// ---- failing -----------------------------------------------------------------------------------
TEST_CASE("a failure is entered once, and is looked at when a caller was given it (LZ3)") {
  LazyFixture f;
  const LazyPtr lazy = f.New<Ints, Ints>(Collect::kFlatten);
  lazy->Fail(absl::UnknownError("boom"));
  lazy->Fail(absl::UnknownError("again"));
  lazy->WaitSettled();
  lazy->WaitAnswered();
  CHECK(std::string(lazy->status().message()) == "boom");
  CHECK_FALSE(lazy->failure()->looked_at());
  SECTION("by nobody") { CHECK(std::string(f.failures->Close().message()) == "boom"); }
  SECTION("by Wait") {
    CHECK(absl::IsUnknown(lazy->Wait(base::kForever)));
    CHECK(f.failures->Close().ok());
  }
  SECTION("by Get") {
    CHECK(absl::IsUnknown(static_cast<const absl::StatusOr<Ints>*>(lazy->Answer())->status()));
    CHECK(f.failures->Close().ok());
  }
  SECTION("by Size") {
    CHECK(absl::IsUnknown(lazy->Size().status()));
    CHECK(f.failures->Close().ok());
  }
}

TEST_CASE("a failed void lazy and one that failed from the start (LZ3)") {
  LazyFixture f;
  const LazyPtr lazy = LazyCore::Failed(f.Origin<void, void>(Collect::kFirst), absl::NotFoundError("no session"));
  CHECK(lazy->Ready());
  CHECK(absl::IsNotFound(lazy->Wait(base::kLongAgo)));
  CHECK(lazy->Answer() == nullptr);
  CHECK(f.failures->Close().ok());
  LazyOrigin alone;  // not even a log
  CHECK(absl::IsNotFound(LazyCore::Failed(std::move(alone), absl::NotFoundError("gone"))->Wait(base::kLongAgo)));
}

TEST_CASE("a failed fetch is the lazy's failure from then on, entered once (LZ2, LZ3)") {
  LazyFixture f;
  f.store->Fail(absl::DataLossError("the owner is gone"));
  const LazyPtr lazy = f.Lists({{1}, {2}});
  CHECK(lazy->status().ok());
  CHECK(f.Fetch<Ints>(lazy) == nullptr);
  CHECK(absl::IsDataLoss(lazy->status()));
  CHECK(absl::StrContains(lazy->status().message(), "collecting Policy.Train [train.cc:7]: the owner is gone"));
  CHECK(f.Fetch<Ints>(lazy) == nullptr);
  CHECK(f.store->asked.size() == 2);
  CHECK_FALSE(lazy->failure()->looked_at());
  CHECK(absl::IsDataLoss(static_cast<const absl::StatusOr<Ints>*>(lazy->Answer())->status()));
  CHECK(f.failures->Close().ok());
}

TEST_CASE("results that cannot be joined are a failure (LZ3)") {
  LazyFixture f;
  using Map = std::map<std::string, Ints>;
  const LazyPtr lazy = f.New<Map, Map>(Collect::kFlatten);
  lazy->Succeed({f.store->KeepValue(Map{{"a", {1}}}), f.store->KeepValue(Map{{"b", {1}}})});
  CHECK(f.Fetch<Map>(lazy) == nullptr);
  CHECK(absl::StrContains(lazy->status().message(), "key_mismatch"));
  CHECK(absl::IsInvalidArgument(f.failures->Close()));
}

TEST_CASE("looking at a failure looks at its causes (LZ3)") {
  LazyFixture f;
  const LazyPtr cause = f.NewVoid();
  cause->Fail(absl::UnknownError("root"));
  const LazyPtr lazy = f.NewVoid();
  lazy->Fail(absl::UnknownError("its argument failed"), {cause->failure()});
  lazy->Wait(base::kForever).IgnoreError();
  CHECK(cause->failure()->looked_at());
  CHECK(f.failures->Close().ok());
}

// ---- cancelling --------------------------------------------------------------------------------
struct Owner final : internal::CallOwner {
  void OnCallSettled(uint64_t call) override { settled.push_back(call); }
  void CancelCall(uint64_t call, const std::string&) override {
    cancelled.push_back(call);
    if (lazy != nullptr) lazy->Fail(absl::CancelledError("cancelled"));
  }
  std::vector<uint64_t> settled;
  std::vector<uint64_t> cancelled;
  internal::LazyCore* lazy = nullptr;
};

TEST_CASE("Cancel tells the producer while the call is under way, and nobody after it") {
  LazyFixture f;
  const LazyPtr lazy = f.NewVoid();
  lazy->Cancel();
  const auto owner = std::make_shared<Owner>();
  lazy->SetCall(owner, 7);
  lazy->Cancel();
  CHECK(owner->cancelled == std::vector<uint64_t>{7});
  CHECK_FALSE(lazy->Ready());
  CHECK(owner->settled.empty());
  lazy->Succeed({});
  lazy->Cancel();
  CHECK(owner->cancelled == std::vector<uint64_t>{7});
  CHECK(owner->settled == std::vector<uint64_t>{7});
}

TEST_CASE("what was cancelled has been looked at, unless it failed of something else (LZ3)") {
  LazyFixture f;
  const LazyPtr cancelled = f.NewVoid();
  cancelled->Cancel();
  cancelled->Fail(absl::CancelledError("it was cancelled"));
  CHECK(f.failures->Close().ok());
  const LazyPtr failed = f.NewVoid();
  failed->Cancel();
  failed->Fail(absl::UnknownError("it threw"));
  CHECK(absl::IsUnknown(f.failures->Close()));
  f.NewVoid()->Fail(absl::CancelledError("the session has ended"));
  CHECK(absl::IsCancelled(f.failures->Close()));
}

TEST_CASE("what a lazy has come to is known once it is answered, and nobody has looked at its failure") {
  LazyFixture f;
  const LazyPtr pending = f.NewVoid();
  const LazyPtr lists = f.Lists({{1}, {2}});
  CHECK_FALSE(pending->OutcomeSoFar());
  CHECK_FALSE(lists->OutcomeSoFar());
  f.Fetch<Ints>(lists);
  REQUIRE(lists->OutcomeSoFar());
  CHECK(lists->OutcomeSoFar()->status.ok());
  CHECK(lists->OutcomeSoFar()->answer == lists->Answer());
  pending->Fail(absl::UnknownError("it threw"));
  REQUIRE(pending->OutcomeSoFar());
  CHECK(absl::IsUnknown(pending->OutcomeSoFar()->status));
  CHECK(absl::IsUnknown(f.failures->Close()));
}

TEST_CASE("lazies of two jobs are not put together") {
  LazyFixture one;
  LazyFixture other;
  other.store->job_key = one.store->job_key + 1;
  const LazyPtr both = LazyCore::Planned({one.Lists({{1}}), other.Lists({{2}})}, "both", *one.Lists({})->type(),
                                         internal::AnswerOpsFor<Ints>(), [](auto plans) { return ConcatRows(plans); });
  CHECK(absl::IsFailedPrecondition(both->Wait(base::kLongAgo)));
  CHECK(absl::StrContains(both->status().message(), "belongs to a session that has ended"));
}

TEST_CASE("what Cancel calls may settle the lazy") {
  LazyFixture f;
  const LazyPtr lazy = f.NewVoid();
  const auto owner = std::make_shared<Owner>();
  owner->lazy = lazy.get();
  lazy->SetCall(owner, 7);
  lazy->Cancel();
  CHECK(absl::IsCancelled(lazy->Wait(base::kLongAgo)));
  CHECK(f.failures->Close().ok());
}

}  // namespace
}  // namespace twinkle::object
