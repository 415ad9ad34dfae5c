// Lazy<T> as its holder sees it: Get, Size, Rows, iteration, Wait, WaitAny, WaitAll, Put.
#include <twinkle/twinkle.h>

#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/integration/session.h"

namespace lazies {

using twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Tensor, twinkle::Value;
using List = std::vector<int64_t>;

struct Batch {
  List list;
  Tensor tensor;
  float number = 0;
  bool operator==(const Batch&) const = default;
};
struct Columns {
  List list;
  Tensor tensor;
  bool operator==(const Columns&) const = default;
};

twinkle::tests::Gate gate;

class Maker {
 public:
  List Count(int64_t from) {
    List list;
    for (int64_t i = 0; i < 3; ++i) list.push_back(from + 10 * twinkle::Context().rank() + i);
    return list;
  }
  List CountLocal(int64_t size) {
    List list;
    for (int64_t i = 0; i < size; ++i) list.push_back(i);
    return list;
  }
  Columns Table() {
    const int64_t rank = twinkle::Context().rank();
    return {.list = {rank, rank}, .tensor = twinkle::tests::TensorOf<float>({1, 2, 3, 4}, {2, 2})};
  }
  Batch Mixed() { return {.list = {1, 2}, .tensor = twinkle::tests::TensorOf<float>({1, 2, 3}), .number = 4}; }
  int64_t Number() { return 7; }
  std::map<std::string, List> Named() { return {{"a", {1, 2}}, {"b", {3, 4}}}; }
  Tensor Scores() { return twinkle::tests::TensorOf<float>({1, 2, 3}); }
  Value Dynamic() { return Value::List{1, 2, 3}; }
  void Block() { gate.Wait(); }
  List Fail(const std::string& why) { throw std::runtime_error(why); }
};
absl::StatusOr<List> Reversed(const std::vector<List>& all_results, const twinkle::DeviceMesh*) {
  List list;
  for (const List& result : all_results) list.insert(list.begin(), result.rbegin(), result.rend());
  return list;
}
TWINKLE_REMOTE_CLASS(Maker, (), (Count, Collect::kFlatten), (CountLocal, twinkle::CollectBy<&Reversed>),
                     (Table, Collect::kFlatten), (Mixed, Collect::kFirst), (Number), (Named, Collect::kFirst),
                     (Scores, Collect::kFlatten), (Dynamic, Collect::kFirst), (Block), (Fail, Collect::kFirst))

}  // namespace lazies

namespace {

using namespace twinkle::tests;
using namespace lazies;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::Put, twinkle::WaitAll, twinkle::WaitAny;

twinkle::Remote<Maker> NewMaker() { return Must(twinkle::New<Maker>({.remote_group = "g"})); }

TEST_CASE("Get fetches once, and its answer lives as long as any copy of the lazy") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto maker = NewMaker();
  Lazy<List> copy;
  const absl::StatusOr<List>* answer = nullptr;
  {
    const Lazy<List> lazy = maker.Count(1);
    copy = lazy;
    answer = &lazy.Get();
    CHECK(&lazy.Get() == answer);
    STATIC_REQUIRE(std::is_same_v<decltype(lazy.Get()), const absl::StatusOr<List>&>);
  }
  CHECK(&copy.Get() == answer);
  CHECK(**answer == (mode == Mode::kLocal ? List{1, 2, 3} : List{1, 2, 3, 11, 12, 13}));
}

TEST_CASE("Get of an rvalue gives the value, and takes nothing from other copies") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto maker = NewMaker();
  STATIC_REQUIRE(std::is_base_of_v<absl::StatusOr<List>, decltype(maker.Count(1).Get())>);
  CHECK(Must(maker.Count(1).Get()) == List{1, 2, 3});
  const Lazy<List> kept = maker.Count(1);
  Lazy<List> copy = kept;
  CHECK(Must(std::move(copy).Get()) == List{1, 2, 3});
  CHECK(Result(kept) == List{1, 2, 3});
  Lazy<List> argument = Put(List{1, 2, 3});
  const Lazy<List> rows = argument.Rows(0, 2);  // refers to it
  CHECK(Must(std::move(argument).Get()) == List{1, 2, 3});
  CHECK(Result(rows) == List{1, 2});
  CHECK(maker.Fail("why").Get().status().code() == absl::StatusCode::kUnknown);
}

TEST_CASE("Size counts the rows of what was collected") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const int64_t results = mode == Mode::kLocal ? 1 : 2;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto maker = NewMaker();
  CHECK(Must(maker.Count(0).Size()) == 3 * results);
  CHECK(Must(maker.CountLocal(4).Size()) == 4 * results);  // an own collect's
  CHECK(Must(maker.Table().Size()) == 2 * results);        // all lists and tensors agree
  CHECK(Must(maker.Number().Size()) == results);           // the list that kNone makes
  CHECK(Must(maker.Named().Size()) == 2);
  CHECK(Must(maker.Scores().Size()) == 3 * results);
  CHECK(Must(maker.Dynamic().Size()) == 3);
  CHECK(Must(maker.Count(0).Rows(1, 3).Size()) == 2);
  CHECK(Must(Put(List{1, 2}).Size()) == 2);
}

TEST_CASE("Size of what has no common number of rows is InvalidArgument") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto maker = NewMaker();
  const auto ragged = maker.Mixed().Size();  // two rows and three
  CHECK(ragged.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(ragged), ContainsSubstring("Maker.Mixed"));
  CHECK(maker.Rank(0).Number().Size().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Put(int64_t{1}).Size().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("Rows are rows of the collected value") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto maker = NewMaker();
  const auto check = [](const Lazy<List>& lazy) {
    const List all = Result(lazy);
    const int64_t size = static_cast<int64_t>(all.size());
    for (int64_t begin = 0; begin <= size; ++begin) {
      for (int64_t end = begin; end <= size; ++end) {
        const Lazy<List> rows = lazy.Rows(begin, end);
        CHECK(Result(rows) == List(all.begin() + begin, all.begin() + end));
        CHECK(Must(rows.Size()) == end - begin);
        if (end - begin < 2) continue;
        CHECK(Result(rows.Rows(1, 2)) == List{all[static_cast<size_t>(begin) + 1]});
      }
    }
  };
  check(maker.Count(0));
  check(maker.CountLocal(3));
  check(Put(List{1, 2, 3}));
  const Columns table = Result(maker.Table().Rows(1, 2));
  CHECK(table == Columns{.list = {0}, .tensor = TensorOf<float>({3, 4}, {1, 2})});
  CHECK(Result(maker.Named().Rows(1, 2)) == std::map<std::string, List>{{"a", {2}}, {"b", {4}}});
  CHECK(Result(maker.Scores().Rows(1, 3)) == TensorOf<float>({2, 3}));
  CHECK(Result(maker.Dynamic().Rows(1, 3)) == Value(Value::List{2, 3}));
}

TEST_CASE("Rows outside the value are InvalidArgument") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto maker = NewMaker();
  const auto [begin, end] = GENERATE(table<int64_t, int64_t>({{0, 4}, {-1, 2}, {2, 1}, {4, 4}}));
  CAPTURE(begin, end);
  for (const Lazy<List>& lazy : {maker.Count(0), maker.CountLocal(3), Put(List{1, 2, 3}), maker.Count(0).Rows(0, 3)}) {
    const Lazy<List> rows = lazy.Rows(begin, end);
    CHECK(rows.Get().status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(Told(rows.Get()), ContainsSubstring("3 rows"));
  }
}

TEST_CASE("a lazy of a collected list is iterated like the list") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto maker = NewMaker();
  const Lazy<List> lazy = maker.Count(5);
  List seen;
  for (int64_t item : lazy) seen.push_back(item);
  CHECK(seen == List{5, 6, 7});
  CHECK(List(lazy.begin(), lazy.end()) == seen);
  // A failure is never an empty list.
  const Lazy<List> failed = maker.Fail("why");
  CHECK_THROWS_AS(failed.begin(), absl::BadStatusOrAccess);
  CHECK(Told(session.Finish()) == "OK");  // the iteration told of it
}

TEST_CASE("Ready and Wait say whether a call has ended; Wait has a limit") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto maker = NewMaker();
  const ClosedHere closed(gate);
  const auto block = maker.Block();
  const auto count = maker.Count(1);
  CHECK_FALSE(count.Ready());
  const absl::Status late = count.Wait(absl::Milliseconds(1));
  CHECK(late.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK_THAT(Told(late), ContainsSubstring("Maker.Count"));
  CHECK(block.Wait(absl::ZeroDuration()).code() == absl::StatusCode::kDeadlineExceeded);
  gate.Open();
  CHECK(Told(count.Wait(absl::InfiniteDuration())) == "OK");
  CHECK(count.Ready());
  CHECK(block.Ready());  // it came first
  CHECK(Told(block.Get()) == "OK");
  const auto failed = maker.Fail("why");
  CHECK_THAT(Told(failed.Wait(absl::Seconds(60))), ContainsSubstring("why"));
  CHECK(failed.Ready());
}

TEST_CASE("WaitAny gives the index of one that has settled, failed or not") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1), Cpu("h", 1)});
  auto maker = NewMaker();
  auto other = Must(twinkle::New<Maker>({.remote_group = "h"}));
  const ClosedHere closed(gate);
  maker.Block();
  const std::vector<Lazy<List>> blocked = {maker.Count(1), maker.Count(2)};
  CHECK(WaitAny(blocked, absl::Milliseconds(1)).status().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(WaitAny(std::vector<Lazy<List>>{}).status().code() == absl::StatusCode::kInvalidArgument);
  const std::vector<Lazy<List>> mixed = {blocked[0], other.Fail("why"), blocked[1]};
  CHECK(Must(WaitAny(std::span<const Lazy<List>>(mixed), absl::Seconds(60))) == 1);
  std::thread opener([] { gate.Open(); });
  const size_t which = Must(WaitAny(blocked));
  CHECK(blocked[which].Ready());
  opener.join();
  CHECK(WaitAny(std::vector<Lazy<List>>{blocked[0], Lazy<List>()}).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  const std::vector<Lazy<void>> voids = {maker.Block()};
  CHECK(Must(WaitAny(voids, absl::Seconds(60))) == 0);
}

TEST_CASE("WaitAll waits for all, and gives the first failure in their order") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1), Cpu("h", 1)});
  auto maker = NewMaker();
  auto other = Must(twinkle::New<Maker>({.remote_group = "h"}));
  const ClosedHere closed(gate);
  maker.Block();
  const std::vector<Lazy<List>> lazies = {maker.Count(1), maker.Fail("first"), other.Fail("second")};
  CHECK(WaitAll(lazies, absl::Milliseconds(1)).code() == absl::StatusCode::kDeadlineExceeded);
  gate.Open();
  CHECK_THAT(Told(WaitAll(std::span<const Lazy<List>>(lazies), absl::Seconds(60))), ContainsSubstring("first"));
  for (const Lazy<List>& lazy : lazies) CHECK(lazy.Ready());
  CHECK(Told(WaitAll(std::vector<Lazy<List>>{})) == "OK");
  CHECK(Told(WaitAll(std::vector<Lazy<List>>{maker.Count(1), other.Count(1)})) == "OK");
  CHECK_THAT(Told(session.Finish()), ContainsSubstring("second"));  // WaitAll gave the other one only
}

TEST_CASE("locally everything has settled when the call returns") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 1)});
  auto maker = NewMaker();
  const std::vector<Lazy<List>> lazies = {maker.Count(1), maker.Fail("why")};
  CHECK((lazies[0].Ready() && lazies[1].Ready()));
  CHECK(Must(WaitAny(lazies, absl::ZeroDuration())) == 0);
  CHECK_THAT(Told(WaitAll(lazies, absl::ZeroDuration())), ContainsSubstring("why"));
  lazies[0].Cancel();  // nothing to stop
  CHECK(Result(lazies[0]) == List{1, 2, 3});
}

TEST_CASE("an empty lazy fails with FailedPrecondition") {
  const Lazy<List> empty;
  CHECK(empty.Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Lazy<List>().Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(empty.Size().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(empty.Wait(absl::Seconds(1)).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(empty.Rows(0, 1).Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Lazy<void>().Get().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_FALSE(empty.Ready());
  empty.Cancel();
}

}  // namespace
