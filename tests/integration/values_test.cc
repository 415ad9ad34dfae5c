// Every kind of value goes to a remote object and comes back equal.
#include <dlpack/dlpack.h>
#include <twinkle/twinkle.h>

#include <array>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "tests/integration/session.h"

namespace foreign {

// A library that is not ours to change.
class Duration {
 public:
  Duration() = default;
  explicit Duration(double seconds) : seconds_(seconds) {}
  double seconds() const { return seconds_; }
  bool operator==(const Duration&) const = default;

 private:
  double seconds_ = 0;
};

}  // namespace foreign

template <>
struct twinkle::Codec<foreign::Duration> {
  using Wire = std::vector<double>;
  static Wire ToWire(const foreign::Duration& value) { return {value.seconds()}; }
  static absl::StatusOr<foreign::Duration> FromWire(Wire wire) {
    if (wire.size() != 1 || wire[0] < 0) return absl::InvalidArgumentError("a negative duration");
    return foreign::Duration(wire[0]);
  }
};

namespace values {

using twinkle::Array, twinkle::Bytes, twinkle::Collect, twinkle::Dispatch, twinkle::Tensor, twinkle::Value;

enum class Colour : int16_t { kRed = -1, kBlue = 300 };

struct Leaf {
  std::string name;
  int value = 0;
  bool operator==(const Leaf&) const = default;
};
struct Node {  // of itself
  std::string name;
  std::vector<Node> children;
  bool operator==(const Node&) const = default;
};
struct Empty {
  bool operator==(const Empty&) const = default;
};

// Opaque: with a serialize() of its own.
class Counter {
 public:
  Counter() = default;
  explicit Counter(int count) : count_(count), history_({count}) {}
  bool operator==(const Counter&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(count_, history_);
  }

 private:
  int count_ = 0;
  std::vector<int> history_;
};
// serialize() found by argument-dependent look-up, in the style of operator&.
class Outside {
 public:
  Outside() = default;
  explicit Outside(std::string text) : text_(std::move(text)) {}
  bool operator==(const Outside&) const = default;
  template <class Archive>
  friend void serialize(Archive& archive, Outside& outside) {
    archive& outside.text_;
  }

 private:
  std::string text_;
};

struct Everything {
  bool yes = false;
  int8_t small = 0;
  uint64_t large = 0;
  float single = 0;
  double twice = 0;
  Colour colour = Colour::kRed;
  std::string text;
  std::vector<bool> bits;
  std::vector<std::string> strings;
  std::vector<std::vector<int32_t>> ragged;
  std::array<int64_t, 3> three = {};
  float matrix[2][2] = {};
  std::pair<int, std::string> pair;
  std::tuple<int, double, std::string> tuple;
  std::optional<std::vector<int>> maybe;
  std::optional<std::string> nothing;
  std::variant<int, std::string, Leaf> either;
  std::map<int, Leaf> by_number;
  std::unordered_map<std::string, std::vector<double>> by_name;
  std::set<std::string> set;
  std::unordered_set<int> hash_set;
  Tensor tensor;
  Bytes bytes;
  Array<float> array;
  Value value;
  Node tree;
  Empty empty;
  Counter counter;
  Outside outside;
  foreign::Duration duration;
  bool operator==(const Everything& other) const {
    return yes == other.yes && small == other.small && large == other.large && single == other.single &&
           twice == other.twice && colour == other.colour && text == other.text && bits == other.bits &&
           strings == other.strings && ragged == other.ragged && three == other.three &&
           std::memcmp(matrix, other.matrix, sizeof(matrix)) == 0 && pair == other.pair && tuple == other.tuple &&
           maybe == other.maybe && nothing == other.nothing && either == other.either && by_number == other.by_number &&
           by_name == other.by_name && set == other.set && hash_set == other.hash_set && tensor == other.tensor &&
           bytes == other.bytes && array == other.array && value == other.value && tree == other.tree &&
           empty == other.empty && counter == other.counter && outside == other.outside && duration == other.duration;
  }
};

// Another library's tensor of 1 to 6, frozen, as that library has it: adoptable as it is, strides included.
Tensor Imported(std::vector<int64_t> shape, std::vector<int64_t> strides) {
  struct Lent {
    std::vector<int64_t> shape, strides;
    std::vector<int64_t> elements = {1, 2, 3, 4, 5, 6};
    DLManagedTensor managed{};
  };
  auto* lent = new Lent{std::move(shape), std::move(strides)};
  const auto dimensions = static_cast<int32_t>(lent->shape.size());
  lent->managed.dl_tensor = {lent->elements.data(), {kDLCPU, 0},          dimensions, {kDLInt, 64, 1},
                             lent->shape.data(),    lent->strides.data(), 0};
  lent->managed.manager_ctx = lent;
  lent->managed.deleter = [](DLManagedTensor* managed) { delete static_cast<Lent*>(managed->manager_ctx); };
  Tensor tensor = twinkle::tests::Must(Tensor::FromDLPack(&lent->managed));
  tensor.Freeze();
  return tensor;
}

class Echo {
 public:
  std::vector<int64_t> StridesOf(const Tensor& tensor) { return tensor.strides(); }
  Tensor MadeThere(std::vector<int64_t> shape, std::vector<int64_t> strides) {
    return Imported(std::move(shape), std::move(strides));
  }
  Everything All(const Everything& everything) { return everything; }
  std::vector<Everything> Many(std::vector<Everything> many) { return many; }
  Value Dynamic(const Value& value) { return value; }
  Tensor OneTensor(Tensor tensor) { return tensor; }
  foreign::Duration Foreign(const foreign::Duration& duration) { return duration; }
  twinkle::DeviceMesh Mesh(const twinkle::DeviceMesh& mesh) { return mesh; }
  double Number(double number) { return number; }
  // That many levels of nodes above one.
  Node Deep(int levels) {
    Node tree;
    for (; levels > 0; --levels) {
      Node parent;
      parent.children.push_back(std::move(tree));
      tree = std::move(parent);
    }
    return tree;
  }
  int64_t CountOf(const Node& tree) { return static_cast<int64_t>(tree.children.size()); }
  int64_t NoArguments() const noexcept { return 42; }
  std::string Text(std::string text, const std::string& more) { return text + more; }
};
TWINKLE_REMOTE_CLASS(Echo, (), (StridesOf, Dispatch::kAll, Collect::kFirst),
                     (MadeThere, Dispatch::kAll, Collect::kFirst), (All, Dispatch::kAll, Collect::kFirst),
                     (Many, Dispatch::kAll, Collect::kFirst), (Dynamic, Dispatch::kAll, Collect::kFirst),
                     (OneTensor, Dispatch::kAll, Collect::kFirst), (Foreign, Collect::kFirst), (Mesh, Collect::kFirst),
                     (Number, Collect::kFirst), (Deep, Collect::kFirst), (CountOf, Dispatch::kAll, Collect::kFirst),
                     (NoArguments, Collect::kFirst), (Text, Collect::kFirst))

Everything Filled() {
  using twinkle::tests::TensorOf;
  Everything e;
  e.yes = true;
  e.small = -128;
  e.large = std::numeric_limits<uint64_t>::max();
  e.single = -0.0f;
  e.twice = std::numeric_limits<double>::infinity();
  e.colour = Colour::kBlue;
  e.text = std::string("a\0b\xff", 4);
  e.bits = {true, false, true};
  e.strings = {"", "x", std::string(100000, 'y')};
  e.ragged = {{1, 2}, {}, {3}};
  e.three = {1, 2, 3};
  e.matrix[1][0] = 2.5f;
  e.pair = {1, "one"};
  e.tuple = {1, 2.0, "three"};
  e.maybe = std::vector<int>{1};
  e.either = Leaf{.name = "leaf", .value = 1};
  e.by_number = {{-1, {.name = "a", .value = 1}}, {2, {.name = "b", .value = 2}}};
  e.by_name = {{"x", {1.5}}, {"", {}}};
  e.set = {"a", "b"};
  e.hash_set = {1, 2, 3};
  e.tensor = TensorOf<int64_t>({1, 2, 3, 4, 5, 6}, {3, 1, 2});
  e.bytes = Bytes(std::string(100000, '\x01'));
  e.array = Array<float>({1, 2, 3});
  e.value = Value::List{nullptr, true, 1, 2.5, "text", Value::Tuple{{1, Value::List{}}}, Value::Dict{{"k", e.tensor}}};
  e.tree = {.name = "root", .children = {{.name = "left", .children = {{.name = "leaf", .children = {}}}}, {}}};
  e.counter = Counter(7);
  e.outside = Outside("outside");
  e.duration = foreign::Duration(1.5);
  return e;
}

}  // namespace values

namespace {

using namespace twinkle::tests;
using namespace values;
using Catch::Matchers::ContainsSubstring;
using twinkle::DType, twinkle::Mode;

TEST_CASE("values of every type come back as they were sent") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  CHECK(Result(echo.All(Filled())) == Filled());
  CHECK(Result(echo.All({})) == Everything{});
  CHECK(Result(echo.Many({Filled(), {}})) == std::vector<Everything>{Filled(), {}});
  CHECK(Result(echo.All(echo.All(Filled()))) == Filled());  // without coming here in between
  CHECK(Result(echo.All(twinkle::Put(Filled()))) == Filled());
  CHECK(Result(echo.Mesh(Mesh({.dp = 2, .tp = 4, .ep = 2}))) == Mesh({.dp = 2, .tp = 4, .ep = 2}));
  CHECK(std::isnan(Result(echo.Number(std::nan("")))));
  CHECK(Result(echo.NoArguments()) == 42);
  CHECK(Result(echo.Text("a", "b")) == "ab");
}

TEST_CASE("tensors of every dtype and shape come back as they were sent") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  for (int dtype = 0; dtype < twinkle::kDTypeCount; ++dtype) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{}, {0}, {5}, {0, 3}, {2, 3}, {1, 300, 200}}) {
      const Tensor tensor = Must(Tensor::Zeros(static_cast<DType>(dtype), shape));
      const Tensor back = Result(echo.OneTensor(tensor));
      CHECK(back == tensor);
      CHECK(back.shape() == shape);
      CHECK(back.dtype() == static_cast<DType>(dtype));
    }
  }
  CHECK(Items<bool>(Result(echo.OneTensor(TensorOf<bool>({true, false})))) == std::vector<bool>{true, false});
  using Complex = std::complex<float>;
  CHECK(Items<Complex>(Result(echo.OneTensor(TensorOf<Complex>({{1, -2}})))) == std::vector<Complex>{{1, -2}});
  const std::vector<twinkle::Float8E5M2> eighths(100000, twinkle::Float8E5M2(-1.5F));  // outside the head
  CHECK(Items<twinkle::Float8E5M2>(Result(echo.OneTensor(TensorOf(eighths)))) == eighths);
  const std::vector<uint64_t> large = {0, std::numeric_limits<uint64_t>::max()};
  CHECK(Items<uint64_t>(Result(echo.OneTensor(TensorOf(large)))) == large);
  const Tensor rows = TensorOf<float>({1, 2, 3, 4, 5, 6}, {3, 2}).Rows(1, 3);
  CHECK(Result(echo.OneTensor(rows)) == TensorOf<float>({3, 4, 5, 6}, {2, 2}));
}

TEST_CASE("strides after a crossing are row-major in every mode, whatever they were before") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  using Sizes = std::vector<int64_t>;
  struct Case {
    Sizes shape, strides, packed, elements;
  };
  const std::vector<Case> cases = {{{3, 2}, {1, 3}, {2, 1}, {1, 4, 2, 5, 3, 6}},  // transposed
                                   {{1, 6}, {77, 1}, {6, 1}, {1, 2, 3, 4, 5, 6}},
                                   {{2, 2}, {4, 1}, {2, 1}, {1, 2, 5, 6}}};
  for (const Case& c : cases) {
    const auto arrived = [&](const Tensor& tensor) {
      CHECK(tensor.shape() == c.shape);
      CHECK(tensor.strides() == c.packed);
      CHECK(Items<int64_t>(tensor) == c.elements);
    };
    const Tensor tensor = Imported(c.shape, c.strides);
    CHECK(Result(echo.StridesOf(tensor)) == c.packed);
    arrived(Result(echo.OneTensor(tensor)));
    arrived(Result(echo.MadeThere(c.shape, c.strides)));
    CHECK(Result(echo.StridesOf(echo.MadeThere(c.shape, c.strides))) == c.packed);
    const auto put = twinkle::Put(tensor);
    arrived(Result(put));
    CHECK(Result(echo.StridesOf(put)) == c.packed);
    const Value in_list = Result(echo.Dynamic(Value::List{tensor}));
    arrived(*in_list.get_if<Value::List>()->front().get_if<Tensor>());
  }
}

TEST_CASE("a codec that refuses what it is sent fails the call with its reason") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  CHECK(Result(echo.Foreign(foreign::Duration(2))).seconds() == 2);
  const auto refused = echo.Foreign(foreign::Duration(-1));
  CHECK_THAT(Told(refused.Get()), ContainsSubstring("Echo.Foreign") && ContainsSubstring("a negative duration"));
}

auto TellsLimit() {
  return ContainsSubstring("at most 64 lists, structs, maps and the like can stand within each other");
}

TEST_CASE("what is nested too deep is refused where it is made, and the text says what to do") {
  const Mode mode = GENERATE(Mode::kInProcess, Mode::kLocal);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto echo = Must(twinkle::New<Echo>({.remote_group = "g"}));
  CHECK(Result(echo.Deep(31)).children.size() == 1);
  Node tree;
  for (int level = 0; level < 1000; ++level) {
    Node parent;
    parent.children.push_back(std::move(tree));
    tree = std::move(parent);
  }
  const auto argument = echo.CountOf(tree);
  CHECK(absl::IsInvalidArgument(argument.Get().status()));
  CHECK_THAT(Told(argument.Get()),
             TellsLimit() && ContainsSubstring("Echo.CountOf") && ContainsSubstring("argument 1"));
  const auto result = echo.Deep(1000);
  CHECK(absl::IsInvalidArgument(result.Get().status()));
  CHECK_THAT(Told(result.Get()), TellsLimit() && ContainsSubstring("Echo.Deep"));
  const auto put = twinkle::Put(tree);
  CHECK(absl::IsInvalidArgument(put.Get().status()));
  CHECK_THAT(Told(put.Get()), ContainsSubstring("a flat list of nodes") && TellsLimit() && ContainsSubstring("Put ["));
  Value deep = 1;
  for (int level = 0; level < 1000; ++level) deep = Value::List{std::move(deep)};
  CHECK_THAT(Told(echo.Dynamic(deep).Get()), TellsLimit() && ContainsSubstring("Echo.Dynamic"));
  CHECK(Result(echo.NoArguments()) == 42);
}

}  // namespace
