// Which rank gets which part of the arguments.
#include <twinkle/twinkle.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "tests/integration/session.h"

namespace probe {

using twinkle::Array, twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Tensor, twinkle::Value;
using List = std::vector<int64_t>;

struct Inner {
  List list;
  std::string text;
  bool operator==(const Inner&) const = default;
};
struct Record {
  List list;
  Tensor tensor;
  Inner inner;
  std::map<std::string, List> named;
  std::optional<List> maybe;
  std::variant<int64_t, List> either;
  std::array<int64_t, 2> pair_of = {};
  std::set<int64_t> set;
  std::tuple<List, int64_t> tuple;
  std::vector<List> nested;
  float number = 0;
  bool operator==(const Record&) const = default;
};

// Opaque, but it says how it is cut.
class Rows {
 public:
  Rows() = default;
  explicit Rows(List list) : list_(std::move(list)) {}
  int64_t rows() const { return static_cast<int64_t>(list_.size()); }
  Rows Slice(int64_t begin, int64_t end) const { return Rows(List(list_.begin() + begin, list_.begin() + end)); }
  const List& list() const { return list_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(list_);
  }

 private:
  List list_;
};
// Opaque, and it goes whole.
class Whole {
 public:
  static constexpr bool kTwinkleWhole = true;
  Whole() = default;
  explicit Whole(List list) : list_(std::move(list)) {}
  const List& list() const { return list_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(list_);
  }

 private:
  List list_;
};

// Every method gives back what it got; where it matters, with its rank.
class Echo {
 public:
  std::tuple<List, std::string, int64_t> Sliced(const List& list, const std::string& text, int64_t number) {
    return {list, text, number};
  }
  List ToAll(const List& list) { return list; }
  std::vector<List> SlicedOuter(const std::vector<List>& lists) { return lists; }
  List SlicedArray(const Array<int64_t>& array) { return List(array.begin(), array.end()); }
  std::pair<List, List> TwoLists(const List& first, const List& second) { return {first, second}; }
  Record SlicedDp(const Record& record) { return record; }
  Tensor SlicedDpTensor(const Tensor& tensor) { return tensor; }
  List SlicedDpRows(const Rows& rows) { return rows.list(); }
  List SlicedDpWhole(const Whole& whole) { return whole.list(); }
  Value SlicedDpValue(const Value& value) { return value; }
  std::pair<int, List> OnFirst(const List& list) { return {twinkle::Context().rank(), list}; }
  std::pair<int, List> OnPeers(const List& list) { return {twinkle::Context().rank(), list}; }
  std::pair<List, std::string> Dealt(const List& list, const std::string& text) { return {list, text}; }
  List DealtPlain(const List& list) { return list; }
  List DealtBadly(const List& list) { return list; }
};

// Round and round, and the text says how many there are.
absl::StatusOr<std::tuple<List, std::string>> Deal(int length, int i, const std::tuple<List, std::string>& args,
                                                   const twinkle::DeviceMesh* mesh) {
  if (mesh != nullptr) return absl::InternalError("this component has no mesh");
  const auto& [list, text] = args;
  List mine;
  for (size_t at = static_cast<size_t>(i); at < list.size(); at += static_cast<size_t>(length)) {
    mine.push_back(list[at]);
  }
  return std::tuple(mine, text + " " + std::to_string(i) + "/" + std::to_string(length));
}
std::tuple<List> DealPlain(int, int i, const std::tuple<List>&, const twinkle::DeviceMesh*) { return {List{i}}; }
absl::StatusOr<std::tuple<List>> DealBadly(int, int i, const std::tuple<List>& args, const twinkle::DeviceMesh*) {
  if (std::get<0>(args).empty()) throw std::runtime_error("cannot deal nothing");
  if (i == 1) return absl::OutOfRangeError("no hand for this one");
  return args;
}

TWINKLE_REMOTE_CLASS(Echo, (), (Sliced, Dispatch::kSlice), (ToAll, Dispatch::kAll), (SlicedOuter, Dispatch::kSlice),
                     (SlicedArray, Dispatch::kSlice), (TwoLists, Dispatch::kSlice), (OnFirst, Execute::kFirst),
                     (OnPeers, Dispatch::kSlice, Execute::kPeer), (Dealt, twinkle::DispatchBy<&Deal>),
                     (DealtPlain, twinkle::DispatchBy<&DealPlain>), (DealtBadly, twinkle::DispatchBy<&DealBadly>))

// The same with the methods that need a mesh.
class MeshEcho : public Echo {};
TWINKLE_REMOTE_CLASS(MeshEcho, (Execute::kAll), (SlicedDp, Dispatch::kSliceDp), (SlicedDpTensor, Dispatch::kSliceDp),
                     (SlicedDpRows, Dispatch::kSliceDp), (SlicedDpWhole, Dispatch::kSliceDp),
                     (SlicedDpValue, Dispatch::kSliceDp, Collect::kNone))

}  // namespace probe

namespace {

using namespace twinkle::tests;
using namespace probe;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::StartsWith;
using twinkle::Mode;

TEST_CASE("kSlice splits each list evenly, and everything else goes to all") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 3)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  const auto [lists, texts, numbers] = Result(echo.Sliced({1, 2, 3, 4, 5, 6, 7}, "text", 9));
  const size_t results = local ? 1 : 3;
  CHECK(lists == (local ? std::vector<List>{{1, 2, 3, 4, 5, 6, 7}} : std::vector<List>{{1, 2, 3}, {4, 5}, {6, 7}}));
  CHECK(texts == std::vector<std::string>(results, "text"));
  CHECK(numbers == std::vector<int64_t>(results, 9));
  // Too few items: some get none.
  CHECK(std::get<0>(Result(echo.Sliced({1}, "", 0))) ==
        (local ? std::vector<List>{{1}} : std::vector<List>{{1}, {}, {}}));
  CHECK(std::get<0>(Result(echo.Sliced({}, "", 0))) == std::vector<List>(results));
  CHECK(Result(echo.SlicedArray(Array<int64_t>({1, 2, 3, 4}))) ==
        (local ? std::vector<List>{{1, 2, 3, 4}} : std::vector<List>{{1, 2}, {3}, {4}}));
  // Only the outer list.
  CHECK(Result(echo.SlicedOuter({{1, 2}, {3}, {4}})) == (local
                                                             ? std::vector<std::vector<List>>{{{1, 2}, {3}, {4}}}
                                                             : std::vector<std::vector<List>>{{{1, 2}}, {{3}}, {{4}}}));
  // Lists of different lengths are split each for itself.
  using Two = std::vector<std::pair<List, List>>;
  CHECK(Result(echo.TwoLists({1, 2, 3}, {4, 5, 6, 7, 8, 9})) ==
        (local ? Two{{{1, 2, 3}, {4, 5, 6, 7, 8, 9}}} : Two{{{1}, {4, 5}}, {{2}, {6, 7}}, {{3}, {8, 9}}}));
}

TEST_CASE("kAll sends everything to all") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  CHECK(Result(echo.ToAll({1, 2, 3})) == std::vector<List>(mode == Mode::kLocal ? 1 : 2, List{1, 2, 3}));
}

Record TwoRows() {
  return {.list = {1, 2},
          .tensor = TensorOf<float>({1, 2, 3, 4}, {2, 2}),
          .inner = {.list = {3, 4}, .text = "text"},
          .named = {{"a", {5, 6}}, {"b", {}}},
          .maybe = List{7, 8},
          .either = List{9, 10},
          .pair_of = {11, 12},
          .set = {13, 14},
          .tuple = {{15, 16}, 17},
          .nested = {{18, 19}, {20}},
          .number = 0.5f};
}
Record RowOf(size_t row) {
  Record record = TwoRows();
  const int64_t offset = static_cast<int64_t>(row);
  record.list = {1 + offset};
  record.tensor = record.tensor.Rows(offset, offset + 1);
  record.inner.list = {3 + offset};
  record.named["a"] = {5 + offset};
  record.maybe = List{7 + offset};
  record.either = List{9 + offset};
  record.nested = {record.nested[row]};
  return record;
}

TEST_CASE("kSliceDp splits lists and tensors in structs and dicts by data rank") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 4)});
  auto echo = Must(twinkle::New<MeshEcho>({.remote_group = "g", .device_mesh = Mesh({.dp = 2, .tp = 2})}));
  const auto records = Result(echo.SlicedDp(TwoRows()));
  if (mode == Mode::kLocal) {
    CHECK(records == std::vector<Record>{TwoRows()});
  } else {
    CHECK(records == std::vector<Record>{RowOf(0), RowOf(0), RowOf(1), RowOf(1)});
  }
  const Value value = Value::Dict{{"ids", Value::List{1, 2}},
                                  {"scores", TensorOf<float>({1, 2})},
                                  {"deep", Value::Dict{{"x", Value::List{3, 4}}}},
                                  {"pair", Value::Tuple{{Value::List{5, 6}, 7}}},
                                  {"name", "text"}};
  const auto row = [](int64_t i) -> Value {
    return Value::Dict{{"ids", Value::List{1 + i}},
                       {"scores", TensorOf<float>({1.0f + static_cast<float>(i)})},
                       {"deep", Value::Dict{{"x", Value::List{3 + i}}}},
                       {"pair", Value::Tuple{{Value::List{5, 6}, 7}}},
                       {"name", "text"}};
  };
  // Of one result kNone of the dynamic kind gives that, unwrapped.
  CHECK(Result(echo.SlicedDpValue(value)) ==
        (mode == Mode::kLocal ? value : Value(Value::List{row(0), row(0), row(1), row(1)})));
}

TEST_CASE("kSliceDp cuts classes that say how, and sends those whole that say so") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto echo = Must(twinkle::New<MeshEcho>({.remote_group = "g", .device_mesh = Mesh({.dp = 2})}));
  CHECK(Result(echo.SlicedDpRows(Rows({1, 2, 3}))) ==
        (local ? std::vector<List>{{1, 2, 3}} : std::vector<List>{{1, 2}, {3}}));
  CHECK(Result(echo.SlicedDpWhole(Whole({1, 2, 3}))) == std::vector<List>(local ? 1 : 2, List{1, 2, 3}));
}

TEST_CASE("kSliceDp follows the component's mesh, else the session's") {
  const auto [sizes, expected] = GENERATE(table<twinkle::MeshSizes, std::vector<std::vector<float>>>({
      {{.dp = 4}, {{1, 2}, {3, 4}, {5, 6}, {7, 8}}},
      {{.tp = 4}, std::vector<std::vector<float>>(4, {1, 2, 3, 4, 5, 6, 7, 8})},
      {{.dp = 2, .tp = 2}, {{1, 2, 3, 4}, {1, 2, 3, 4}, {5, 6, 7, 8}, {5, 6, 7, 8}}},
      {{.pp = 2, .dp = 2}, {{1, 2, 3, 4}, {5, 6, 7, 8}, {1, 2, 3, 4}, {5, 6, 7, 8}}},
      {{.fsdp = 2, .dp = 2}, {{1, 2}, {5, 6}, {3, 4}, {7, 8}}},
      {{.dp = 4, .ulysses = 2}, {{1, 2, 3, 4}, {1, 2, 3, 4}, {5, 6, 7, 8}, {5, 6, 7, 8}}},
  }));
  const bool session_mesh = GENERATE(true, false);
  twinkle::InitializeOptions options = {.mode = Mode::kInProcess, .groups = {Cpu("g", 4)}};
  options.device_mesh = session_mesh ? Mesh(sizes) : Mesh({.dp = 1});
  auto session = Begin(std::move(options));
  twinkle::RemoteOptions where = {.remote_group = "g"};
  if (!session_mesh) where.device_mesh = Mesh(sizes);
  auto echo = Must(twinkle::New<MeshEcho>(std::move(where)));
  std::vector<std::vector<float>> parts;
  for (const Tensor& part : Result(echo.SlicedDpTensor(TensorOf<float>({1, 2, 3, 4, 5, 6, 7, 8})))) {
    parts.push_back(Items<float>(part));
  }
  CHECK(parts == expected);
}

TEST_CASE("a worker with several devices stands for its ranks of the mesh") {
  twinkle::DeviceGroup group = Devices("g", 8);
  group.devices_per_worker = 2;
  auto session = Begin(Mode::kInProcess, {group});
  auto echo = Must(twinkle::New<MeshEcho>({.remote_group = "g", .device_mesh = Mesh({.dp = 2, .tp = 4})}));
  CHECK(echo.component().world_size() == 4);
  std::vector<std::vector<float>> parts;
  for (const Tensor& part : Result(echo.SlicedDpTensor(TensorOf<float>({1, 2})))) parts.push_back(Items<float>(part));
  CHECK(parts == std::vector<std::vector<float>>{{1}, {1}, {2}, {2}});
}

TEST_CASE("too few rows for the data ranks are InvalidArgument") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 4)});
  auto echo = Must(twinkle::New<MeshEcho>({.remote_group = "g", .device_mesh = Mesh({.dp = 4})}));
  const auto few = echo.SlicedDpTensor(TensorOf<float>({1, 2, 3}));
  CHECK(few.Get().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(few.Get()), ContainsSubstring("MeshEcho.SlicedDpTensor") && ContainsSubstring("3 rows") &&
                                  ContainsSubstring("at least 4") && ContainsSubstring("batch_too_small"));
  // Nothing at all is fine.
  CHECK(Result(echo.SlicedDpTensor(Tensor())).size() == 4);
  auto record = TwoRows();
  CHECK(echo.SlicedDp(record).Get().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a mesh that does not fit its group is refused by New, with the numbers") {
  auto session = Begin({.mode = Mode::kInProcess, .groups = {Cpu("g", 4)}, .device_mesh = Mesh({.dp = 3})});
  const auto told = [](const twinkle::RemoteOptions& options) { return Told(twinkle::New<MeshEcho>(options)); };
  CHECK_THAT(told({.remote_group = "g", .device_mesh = Mesh({.dp = 4, .tp = 2})}),
             StartsWith("INVALID_ARGUMENT") && ContainsSubstring("8 ranks (dp 4, tp 2)") &&
                 ContainsSubstring("group 'g' has 4: 4 workers of 1 each") &&
                 ContainsSubstring("mesh_worker_mismatch"));
  CHECK_THAT(told({.remote_group = "g"}), ContainsSubstring("3 ranks (dp 3)"));  // the session's
  CHECK(twinkle::New<Echo>({.remote_group = "g"}).ok());                         // which nothing here asks for
  CHECK_THAT(Told(twinkle::New<Echo>({.remote_group = "g", .device_mesh = Mesh({.dp = 2})})),
             ContainsSubstring("mesh_worker_mismatch"));
}

TEST_CASE("Execute::kFirst runs on rank 0, with whole arguments and no dispatch to be said") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 3)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  CHECK(Result(echo.OnFirst({1, 2, 3})) == std::vector<std::pair<int, List>>{{0, {1, 2, 3}}});
}

TEST_CASE("Execute::kPeer of a method runs on all ranks when the program calls") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  using Peers = std::vector<std::pair<int, List>>;
  CHECK(Result(echo.OnPeers({1, 2, 3})) ==
        (mode == Mode::kLocal ? Peers{{0, {1, 2, 3}}} : Peers{{0, {1, 2}}, {1, {3}}}));
}

TEST_CASE("an own dispatch gives each rank its arguments; locally it is not called") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  using Hands = std::vector<std::pair<List, std::string>>;
  CHECK(Result(echo.Dealt({1, 2, 3}, "hand")) ==
        (local ? Hands{{{1, 2, 3}, "hand"}} : Hands{{{1, 3}, "hand 0/2"}, {{2}, "hand 1/2"}}));
  CHECK(Result(echo.DealtPlain({7})) == (local ? std::vector<List>{{7}} : std::vector<List>{{0}, {1}}));
  if (local) return;
  const auto bad = echo.DealtBadly({1});
  CHECK(bad.Get().status().code() == absl::StatusCode::kOutOfRange);
  CHECK_THAT(Told(bad.Get()), ContainsSubstring("Echo.DealtBadly") && ContainsSubstring("no hand for this one"));
  const auto thrown = echo.DealtBadly(List{});
  CHECK(thrown.Get().status().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(thrown.Get()), ContainsSubstring("cannot deal nothing"));
}

}  // namespace
