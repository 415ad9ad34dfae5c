// A lazy as an argument: each rank gets what it would have got had the caller collected the value and passed it.
#include <twinkle/twinkle.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tests/integration/session.h"

namespace flow {

using twinkle::Array, twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Tensor, twinkle::Value;
using List = std::vector<int64_t>;

struct Batch {
  List ids;
  Tensor scores;
  std::map<std::string, std::vector<std::string>> texts;
  bool operator==(const Batch&) const = default;
};
struct Mixed {
  List ids;
  std::string name;
  bool operator==(const Mixed&) const = default;
};

int64_t Rank() { return twinkle::Context().rank(); }

// Rank r makes `rows[r]` rows.
class Producer {
 public:
  explicit Producer(List rows) : rows_(rows[static_cast<size_t>(Rank())]) {}
  List Ids() const {
    List ids;
    for (int64_t i = 0; i < rows_; ++i) ids.push_back(100 * Rank() + i);
    return ids;
  }
  Tensor Scores() const {
    std::vector<float> scores;
    for (int64_t id : Ids()) scores.insert(scores.end(), {static_cast<float>(id), 0.5f});
    return twinkle::tests::TensorOf<float>(std::move(scores), {rows_, 2});
  }
  Batch Table() const {
    std::vector<std::string> texts;
    for (int64_t id : Ids()) texts.push_back("row " + std::to_string(id));
    return {.ids = Ids(), .scores = Scores(), .texts = {{"a", texts}, {"b", texts}}};
  }
  Array<int64_t> IdArray() const { return Array<int64_t>(Ids()); }
  std::vector<bool> Flags() const { return std::vector<bool>(static_cast<size_t>(rows_), Rank() % 2 == 0); }
  Mixed Whole() const { return {.ids = Ids(), .name = "rank " + std::to_string(Rank())}; }
  int64_t Number() const { return rows_; }
  Value Dynamic() const {
    Value::List list;
    for (int64_t id : Ids()) list.emplace_back(id);
    return Value::Dict{{"ids", list}, {"scores", Scores()}};
  }
  List Padded() const { return Ids(); }

 private:
  const int64_t rows_;
};
absl::StatusOr<List> Backwards(const std::vector<List>& all_results, const twinkle::DeviceMesh*) {
  List all;
  for (const List& result : all_results) all.insert(all.begin(), result.rbegin(), result.rend());
  return all;
}
TWINKLE_REMOTE_CLASS(Producer, (), (Ids, Collect::kFlatten), (Scores, Collect::kFlatten), (Table, Collect::kFlatten),
                     (IdArray, Collect::kFlatten), (Flags, Collect::kFlatten), (Whole, Collect::kFirst),
                     (Number, Collect::kNone), (Dynamic, Collect::kFlatten), (Padded, twinkle::CollectBy<&Backwards>))
// The rules that leave the results as they are.
class ProducerNone : public Producer {
 public:
  using Producer::Producer;
};
TWINKLE_REMOTE_CLASS(ProducerNone, (), (Ids, Collect::kNone), (Scores, Collect::kNone), (Whole, Collect::kNone))
class ProducerFirst : public Producer {
 public:
  using Producer::Producer;
};
TWINKLE_REMOTE_CLASS(ProducerFirst, (), (Ids, Collect::kFirst), (Scores, Collect::kFirst), (Number, Collect::kSum),
                     (Table, Collect::kFirst))

absl::StatusOr<std::tuple<List>> Deal(int length, int i, const std::tuple<List>& args, const twinkle::DeviceMesh*) {
  List mine;
  const List& all = std::get<0>(args);
  for (size_t at = static_cast<size_t>(i); at < all.size(); at += static_cast<size_t>(length)) mine.push_back(all[at]);
  return std::tuple(mine);
}

// What each rank got.
template <Dispatch dispatch>
class Consumer {
 public:
  List Ids(const List& ids) { return ids; }
  Tensor Scores(const Tensor& scores) { return scores; }
  Batch Table(const Batch& batch) { return batch; }
  List IdArray(const Array<int64_t>& ids) { return List(ids.begin(), ids.end()); }
  std::vector<bool> Flags(std::vector<bool> flags) { return flags; }
  Mixed Whole(const Mixed& mixed) { return mixed; }
  std::vector<Mixed> Wholes(std::vector<Mixed> mixed) { return mixed; }
  std::vector<List> Nested(const std::vector<List>& lists) { return lists; }
  std::vector<Tensor> Tensors(std::vector<Tensor> tensors) { return tensors; }
  int64_t Number(int64_t number) { return number; }
  Value Dynamic(const Value& value) { return value; }
  List Dealt(const List& ids) { return ids; }
  std::tuple<List, List, int64_t> Three(const List& one, const List& two, int64_t number) { return {one, two, number}; }
  List OnFirst(const List& ids) { return ids; }
};
using SliceConsumer = Consumer<Dispatch::kSlice>;
using AllConsumer = Consumer<Dispatch::kAll>;
using DpConsumer = Consumer<Dispatch::kSliceDp>;
// kSlice splits lists alone: what else has rows does not compile with it.
#define FLOW_CONSUMER(type, rule, ...)                                                                        \
  TWINKLE_REMOTE_CLASS(type, (), (Ids, rule), (IdArray, rule), (Flags, rule), (Wholes, rule), (Nested, rule), \
                       (Tensors, rule), (Number, rule), (Dynamic, rule), (Dealt, twinkle::DispatchBy<&Deal>), \
                       (Three, rule), (OnFirst, Execute::kFirst)__VA_OPT__(, ) __VA_ARGS__)
FLOW_CONSUMER(SliceConsumer, Dispatch::kSlice)
FLOW_CONSUMER(AllConsumer, Dispatch::kAll, (Scores, Dispatch::kAll), (Table, Dispatch::kAll), (Whole, Dispatch::kAll))
FLOW_CONSUMER(DpConsumer, Dispatch::kSliceDp, (Scores, Dispatch::kSliceDp), (Table, Dispatch::kSliceDp),
              (Whole, Dispatch::kSliceDp))

}  // namespace flow

namespace {

using namespace twinkle::tests;
using namespace flow;
using Catch::Matchers::ContainsSubstring;
using twinkle::Lazy, twinkle::Mode, twinkle::Put;

template <class R>
void CheckEqual(const absl::StatusOr<R>& lazily, const absl::StatusOr<R>& eagerly) {
  CHECK(lazily.status().code() == eagerly.status().code());
  if (lazily.ok() && eagerly.ok()) CHECK(*lazily == *eagerly);
}

// Calls the method with the lazy, and with what the lazy collects: the same comes out, be it a failure.
template <class Method, class T>
void Same(const Method& method, const Lazy<T>& lazy) {
  const auto lazily = method(lazy);  // before anybody has fetched it
  lazily.Wait(absl::InfiniteDuration()).IgnoreError();
  CheckEqual(lazily.Get(), method(Result(lazy)).Get());
}
template <class Method, class T>
void SameRows(const Method& method, const Lazy<T>& lazy) {
  Same(method, lazy);
  const auto eagerly = method(Result(lazy));
  CheckEqual(method(lazy).Get(), eagerly.Get());  // also once it was fetched
  CheckEqual(method(Put(Result(lazy))).Get(), eagerly.Get());
  const int64_t size = Must(lazy.Size());
  Same(method, lazy.Rows(size / 3, size - size / 4));
  Same(method, lazy.Rows(0, size).Rows(size / 2, size));
}

template <class Consumer>
void CheckAll(const std::string& consumers, int ranks, const List& rows) {
  const twinkle::RemoteOptions from = {.remote_group = "producers"};
  auto flat = Must(twinkle::New<Producer>(from, rows));
  auto none = Must(twinkle::New<ProducerNone>(from, rows));
  auto one = Must(twinkle::New<ProducerFirst>(from, rows));
  auto to = Must(twinkle::New<Consumer>({.remote_group = consumers, .device_mesh = Mesh({.dp = ranks})}));
  SameRows(to.Ids, flat.Ids());
  SameRows(to.Ids, one.Ids());
  SameRows(to.Ids, flat.Padded());
  SameRows(to.Dealt, flat.Ids());
  SameRows(to.Dealt, flat.Padded());
  SameRows(to.OnFirst, flat.Ids());
  SameRows(to.Ids, none.Rank(0).Ids());
  if constexpr (!std::is_same_v<Consumer, SliceConsumer>) {
    SameRows(to.Scores, flat.Scores());
    SameRows(to.Scores, one.Scores());
    SameRows(to.Table, flat.Table());
    SameRows(to.Table, one.Table());
    Same(to.Whole, flat.Whole());
  }
  SameRows(to.IdArray, flat.IdArray());
  SameRows(to.Flags, flat.Flags());
  SameRows(to.Wholes, none.Whole());
  SameRows(to.Nested, none.Ids());
  SameRows(to.Tensors, none.Scores());
  Same(to.Number, one.Number());
  SameRows(to.Ids, flat.Number());
  SameRows(to.Dynamic, flat.Dynamic());
  CHECK(Result(to.Rank(0).Ids(flat.Ids())) == Result(flat.Ids()));
}

TEST_CASE("a lazy argument is like its value, for every rule and number of ranks") {
  const int from = GENERATE(1, 2, 3, 4);
  const int to = GENERATE(1, 2, 3, 4);
  CAPTURE(from, to);
  auto session = Begin(Mode::kInProcess, {Cpu("producers", from), Cpu("consumers", to)});
  for (const List& all : {List{0, 5, 1, 2}, List{3, 3, 3, 3}, List{0, 0, 0, 0}}) {
    const List rows(all.begin(), all.begin() + from);
    CAPTURE(rows);
    CheckAll<SliceConsumer>("consumers", to, rows);
    CheckAll<AllConsumer>("consumers", to, rows);
    CheckAll<DpConsumer>("consumers", to, rows);
  }
}

TEST_CASE("a lazy argument is like its value within one group, and locally") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {GENERATE(Cpu("producers", 2), Devices("producers", 2))});
  CheckAll<SliceConsumer>("producers", 2, {4, 3});
  CheckAll<AllConsumer>("producers", 2, {4, 3});
  CheckAll<DpConsumer>("producers", 2, {4, 3});
}

TEST_CASE("lazies, values and PerRank go together") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("producers", 2), Cpu("consumers", 2)});
  auto flat = Must(twinkle::New<Producer>({.remote_group = "producers"}, List{2, 2}));
  auto to = Must(twinkle::New<SliceConsumer>({.remote_group = "consumers"}));
  const List own = local ? List{0, 1} : List{0, 1, 100, 101};
  const auto [one, two, numbers] =
      Result(to.Three(flat.Ids(), List{7, 8}, twinkle::PerRank(local ? List{1} : List{1, 2})));
  CHECK(one == (local ? std::vector<List>{own} : std::vector<List>{{0, 1}, {100, 101}}));
  CHECK(two == (local ? std::vector<List>{{7, 8}} : std::vector<List>{{7}, {8}}));
  CHECK(numbers == (local ? List{1} : List{1, 2}));
  const auto [all, again, sum] = Result(to.Three(flat.Ids(), flat.Ids(), Put(int64_t{5})));
  CHECK(all == again);
  CHECK(sum == List(local ? 1 : 2, 5));
}

TEST_CASE("a value passes through many hands unchanged") {
  auto session = Begin(Mode::kInProcess, {Cpu("producers", 3), Cpu("consumers", 2)});
  auto flat = Must(twinkle::New<Producer>({.remote_group = "producers"}, List{40000, 0, 20000}));
  auto to = Must(twinkle::New<SliceConsumer>({.remote_group = "consumers"}));
  auto back = Must(twinkle::New<AllConsumer>({.remote_group = "producers"}));
  const auto there = to.Nested(back.Ids(flat.Ids()));
  CHECK((Result(there) == Result(to.Nested(std::vector<List>(3, Result(flat.Ids()))))));
}

}  // namespace
