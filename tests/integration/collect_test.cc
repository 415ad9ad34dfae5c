// What the caller gets of the ranks' results, and of which type.
#include <twinkle/twinkle.h>

#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "tests/integration/session.h"

namespace results {

using twinkle::Collect, twinkle::Tensor, twinkle::Value;
using List = std::vector<int64_t>;

struct Lists {
  List list;
  Tensor tensor;
  bool operator==(const Lists&) const = default;
};
struct Floats {
  float a = 0;
  double b = 0;
  bool operator==(const Floats&) const = default;
};
struct Numbers {
  int64_t a = 0;
  float b = 0;
  bool operator==(const Numbers&) const = default;
};

int64_t Rank() { return twinkle::Context().rank(); }

// Rank r makes things of r.
class Maker {
 public:
  int64_t Number() { return Rank() + 1; }
  bool Even() { return Rank() % 2 == 0; }
  float Half() { return static_cast<float>(Rank()) + 0.5f; }
  List List2() { return {Rank(), Rank() + 10}; }
  std::vector<float> Floats2() { return {static_cast<float>(Rank()), 0.5f}; }
  std::vector<bool> Bools() { return {Rank() == 0, true}; }
  Tensor Matrix() { return twinkle::tests::TensorOf<float>({static_cast<float>(Rank()), 1}, {1, 2}); }
  Tensor Wide() {
    return twinkle::tests::TensorOf<int32_t>(std::vector<int32_t>(static_cast<size_t>(Rank() + 1), 7), {1, Rank() + 1});
  }
  std::map<std::string, double> Metrics() {
    std::map<std::string, double> metrics = {{"loss", static_cast<double>(Rank())}};
    if (Rank() == 1) metrics["extra"] = 4;
    return metrics;
  }
  std::unordered_map<std::string, int64_t> Counts() { return {{"rows", Rank() + 1}}; }
  std::map<std::string, List> Named() { return {{"x", {Rank()}}, {"y", {Rank(), Rank()}}}; }
  Lists Record() { return {.list = {Rank()}, .tensor = twinkle::tests::TensorOf<int64_t>({Rank()})}; }
  Floats Averages() { return {.a = static_cast<float>(Rank()), .b = 1}; }
  Numbers Sums() { return {.a = Rank(), .b = 0.5f}; }
  std::tuple<List, int64_t> Pair() { return {{Rank()}, Rank()}; }
  absl::StatusOr<std::tuple<List, float>> MaybePair() { return std::tuple(List{Rank()}, 0.5f); }
  absl::StatusOr<int64_t> MaybeNumber() { return Rank(); }
  Value Dynamic() { return Value::Dict{{"loss", static_cast<double>(Rank())}, {"n", Rank()}}; }
  Value DynamicList() { return Value::List{Rank(), "text"}; }
  Value DynamicPair() { return Value::Tuple{{Value::List{Rank()}, Value::List{1}}}; }
  void Nothing() {}
  absl::Status NothingOrFailure() { return absl::OkStatus(); }
  const std::string& Name() const { return name_; }

 private:
  const std::string name_ = "rank " + std::to_string(Rank());
};

absl::StatusOr<std::string> Joined(const std::vector<int64_t>& all_results, const twinkle::DeviceMesh*) {
  std::string text;
  for (int64_t result : all_results) text += std::to_string(result) + ";";
  return text;
}
size_t Count(const std::vector<List>& all_results, const twinkle::DeviceMesh*) { return all_results.size(); }
absl::StatusOr<int64_t> Refused(const std::vector<float>&, const twinkle::DeviceMesh*) {
  return absl::DataLossError("cannot be joined");
}
int64_t Thrown(const std::vector<Tensor>&, const twinkle::DeviceMesh*) { throw std::runtime_error("joined too hard"); }

// One class for each rule, all with the same methods.
class None : public Maker {};
TWINKLE_REMOTE_CLASS(None, (), (Number), (List2, Collect::kNone), (Matrix), (Even), (Pair), (MaybeNumber), (Dynamic),
                     (Nothing), (NothingOrFailure), (Name))
class Flatten : public Maker {};
TWINKLE_REMOTE_CLASS(Flatten, (), (List2, Collect::kFlatten), (Bools, Collect::kFlatten), (Matrix, Collect::kFlatten),
                     (Wide, Collect::kFlatten, twinkle::Pad{-200}), (Named, Collect::kFlatten),
                     (Record, Collect::kFlatten), (DynamicList, Collect::kFlatten), (DynamicPair, Collect::kFlatten),
                     (Nothing, Collect::kFlatten))
class Mean : public Maker {};
TWINKLE_REMOTE_CLASS(Mean, (), (Number, Collect::kMean), (Even, Collect::kMean), (Half, Collect::kMean),
                     (List2, Collect::kMean), (Floats2, Collect::kMean), (Bools, Collect::kMean),
                     (Matrix, Collect::kMean), (Metrics, Collect::kMean), (Counts, Collect::kMean),
                     (Averages, Collect::kMean), (MaybePair, Collect::kMean), (Dynamic, Collect::kMean),
                     (Named, Collect::kMean))
class Sum : public Maker {};
TWINKLE_REMOTE_CLASS(Sum, (), (Number, Collect::kSum), (Even, Collect::kSum), (Half, Collect::kSum),
                     (List2, Collect::kSum), (Floats2, Collect::kSum), (Bools, Collect::kSum), (Matrix, Collect::kSum),
                     (Metrics, Collect::kSum), (Counts, Collect::kSum), (Sums, Collect::kSum), (Pair, Collect::kSum),
                     (Dynamic, Collect::kSum))
class First : public Maker {};
TWINKLE_REMOTE_CLASS(First, (), (Number, Collect::kFirst), (Record, Collect::kFirst), (Pair, Collect::kFirst),
                     (Dynamic, Collect::kFirst), (Name, Collect::kFirst))
class ByMesh : public Maker {};
TWINKLE_REMOTE_CLASS(ByMesh, (), (Number, Collect::kLastPp), (MaybeNumber, Collect::kLastPpFirst),
                     (List2, Collect::kFlattenDp), (Matrix, Collect::kFlattenDp), (Pair, Collect::kLastPp),
                     (Wide, Collect::kFlattenDp, twinkle::Pad{-1}), (DynamicList, Collect::kFlattenDp))
class Own : public Maker {};
TWINKLE_REMOTE_CLASS(Own, (), (Number, twinkle::CollectBy<&Joined>), (List2, twinkle::CollectBy<&Count>),
                     (Half, twinkle::CollectBy<&Refused>), (Matrix, twinkle::CollectBy<&Thrown>))

// Results that do not go together.
class Uneven : public Maker {
 public:
  List Ragged() { return List(static_cast<size_t>(Rank() + 1), 1); }
  std::map<std::string, List> Keys() { return {{std::to_string(Rank()), {1}}}; }
  int64_t Huge() { return std::numeric_limits<int64_t>::max(); }
};
TWINKLE_REMOTE_CLASS(Uneven, (), (Ragged, Collect::kMean), (Wide, Collect::kFlatten), (Keys, Collect::kFlatten),
                     (Huge, Collect::kSum))

}  // namespace results

namespace {

using namespace twinkle::tests;
using namespace results;
using Catch::Matchers::ContainsSubstring;
using twinkle::Lazy, twinkle::Mode;

// The result, of exactly the type that is to be expected.
template <class Expected, class Collected>
Expected As(const Lazy<Collected>& lazy) {
  STATIC_REQUIRE(std::is_same_v<Expected, Collected>);
  return Result(lazy);
}

TEST_CASE("kNone gives the list of results") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 3)});
  auto none = Must(twinkle::New<None>({.remote_group = "g"}));
  CHECK(As<List>(none.Number()) == (local ? List{1} : List{1, 2, 3}));
  CHECK(As<std::vector<List>>(none.List2()) ==
        (local ? std::vector<List>{{0, 10}} : std::vector<List>{{0, 10}, {1, 11}, {2, 12}}));
  CHECK(As<std::vector<bool>>(none.Even()) == (local ? std::vector<bool>{true} : std::vector<bool>{true, false, true}));
  CHECK(As<std::vector<Tensor>>(none.Matrix()).back() == TensorOf<float>({local ? 0.0f : 2.0f, 1}, {1, 2}));
  CHECK(As<std::tuple<std::vector<List>, List>>(none.Pair()) ==
        (local ? std::tuple(std::vector<List>{{0}}, List{0})
               : std::tuple(std::vector<List>{{0}, {1}, {2}}, List{0, 1, 2})));
  CHECK(As<List>(none.MaybeNumber()) == (local ? List{0} : List{0, 1, 2}));
  CHECK(As<std::vector<std::string>>(none.Name()).back() == (local ? "rank 0" : "rank 2"));
  const auto one = [](int64_t rank) -> Value { return Value::Dict{{"loss", static_cast<double>(rank)}, {"n", rank}}; };
  CHECK(As<Value>(none.Dynamic()) == (local ? one(0) : Value(Value::List{one(0), one(1), one(2)})));
  STATIC_REQUIRE(std::is_same_v<decltype(none.Nothing()), Lazy<void>>);
  CHECK(Told(none.Nothing().Get()) == "OK");
  STATIC_REQUIRE(std::is_same_v<decltype(none.NothingOrFailure()), Lazy<void>>);
  CHECK(Told(none.NothingOrFailure().Get()) == "OK");
}

TEST_CASE("kFlatten joins lists and tensors, also those in maps and structs") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto flatten = Must(twinkle::New<Flatten>({.remote_group = "g"}));
  CHECK(As<List>(flatten.List2()) == (local ? List{0, 10} : List{0, 10, 1, 11}));
  CHECK(As<std::vector<bool>>(flatten.Bools()) ==
        (local ? std::vector<bool>{true, true} : std::vector<bool>{true, true, false, true}));
  CHECK(As<Tensor>(flatten.Matrix()) ==
        (local ? TensorOf<float>({0, 1}, {1, 2}) : TensorOf<float>({0, 1, 1, 1}, {2, 2})));
  CHECK(As<Tensor>(flatten.Wide()) ==
        (local ? TensorOf<int32_t>({7}, {1, 1}) : TensorOf<int32_t>({7, -200, 7, 7}, {2, 2})));
  CHECK(As<std::map<std::string, List>>(flatten.Named()) ==
        (local ? std::map<std::string, List>{{"x", {0}}, {"y", {0, 0}}}
               : std::map<std::string, List>{{"x", {0, 1}}, {"y", {0, 0, 1, 1}}}));
  CHECK(As<Lists>(flatten.Record()) ==
        (local ? Lists{{0}, TensorOf<int64_t>({0})} : Lists{{0, 1}, TensorOf<int64_t>({0, 1})}));
  CHECK(As<Value>(flatten.DynamicList()) ==
        (local ? Value(Value::List{0, "text"}) : Value(Value::List{0, "text", 1, "text"})));
  // A tuple is taken apart, and the dynamic answer is a list.
  CHECK(As<Value>(flatten.DynamicPair()) == (local ? Value(Value::List{Value::List{0}, Value::List{1}})
                                                   : Value(Value::List{Value::List{0, 1}, Value::List{1, 1}})));
  CHECK(Told(flatten.Nothing().Get()) == "OK");
}

TEST_CASE("kMean averages over all elements of all results") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto mean = Must(twinkle::New<Mean>({.remote_group = "g"}));
  CHECK(As<double>(mean.Number()) == Approx(local ? 1 : 1.5));
  CHECK(As<double>(mean.Even()) == Approx(local ? 1 : 0.5));
  CHECK(As<double>(mean.Half()) == Approx(local ? 0.5 : 1));
  CHECK(As<double>(mean.List2()) == Approx(local ? 5 : 5.5));
  CHECK(As<double>(mean.Floats2()) == Approx(local ? 0.25 : 0.5));
  CHECK(As<double>(mean.Bools()) == Approx(local ? 1 : 0.75));
  CHECK(As<double>(mean.Matrix()) == Approx(local ? 0.5 : 0.75));
  using Metrics = std::map<std::string, double>;
  // Over the results that have the key.
  CHECK(As<Metrics>(mean.Metrics()) == (local ? Metrics{{"loss", 0}} : Metrics{{"loss", 0.5}, {"extra", 4}}));
  CHECK(As<Metrics>(mean.Counts()) == Metrics{{"rows", local ? 1 : 1.5}});
  CHECK(As<Metrics>(mean.Named()) == Metrics{{"x", local ? 0 : 0.5}, {"y", local ? 0 : 0.5}});
  CHECK(As<Floats>(mean.Averages()) == Floats{.a = local ? 0 : 0.5f, .b = 1});
  CHECK(As<std::tuple<double, double>>(mean.MaybePair()) == std::tuple(local ? 0 : 0.5, 0.5));
  CHECK(As<Value>(mean.Dynamic()) == Value(Value::Dict{{"loss", local ? 0.0 : 0.5}, {"n", local ? 0.0 : 0.5}}));
}

TEST_CASE("kSum adds up all elements of all results") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 2)});
  auto sum = Must(twinkle::New<Sum>({.remote_group = "g"}));
  CHECK(As<int64_t>(sum.Number()) == (local ? 1 : 3));
  CHECK(As<int64_t>(sum.Even()) == 1);
  CHECK(As<double>(sum.Half()) == Approx(local ? 0.5 : 2));
  CHECK(As<int64_t>(sum.List2()) == (local ? 10 : 22));
  CHECK(As<double>(sum.Floats2()) == Approx(local ? 0.5 : 2));
  CHECK(As<int64_t>(sum.Bools()) == (local ? 2 : 3));
  CHECK(As<double>(sum.Matrix()) == Approx(local ? 1 : 3));
  using Metrics = std::map<std::string, double>;
  CHECK(As<Metrics>(sum.Metrics()) == (local ? Metrics{{"loss", 0}} : Metrics{{"loss", 1}, {"extra", 4}}));
  using Counts = std::map<std::string, int64_t>;
  CHECK(As<Counts>(sum.Counts()) == Counts{{"rows", local ? 1 : 3}});
  CHECK(As<Numbers>(sum.Sums()) == (local ? Numbers{0, 0.5f} : Numbers{1, 1}));
  CHECK(As<std::tuple<int64_t, int64_t>>(sum.Pair()) == (local ? std::tuple(0, 0) : std::tuple(1, 1)));
  CHECK(As<Value>(sum.Dynamic()) ==
        (local ? Value(Value::Dict{{"loss", 0.0}, {"n", 0}}) : Value(Value::Dict{{"loss", 1.0}, {"n", 1}})));
}

TEST_CASE("kFirst gives the first result as it is") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto first = Must(twinkle::New<First>({.remote_group = "g"}));
  CHECK(As<int64_t>(first.Number()) == 1);
  CHECK(As<Lists>(first.Record()) == Lists{{0}, TensorOf<int64_t>({0})});
  CHECK(As<std::tuple<List, int64_t>>(first.Pair()) == std::tuple(List{0}, 0));
  CHECK(As<std::string>(first.Name()) == "rank 0");
  CHECK(As<Value>(first.Dynamic()) == Value(Value::Dict{{"loss", 0.0}, {"n", 0}}));
}

TEST_CASE("the mesh says whose results kLastPp, kLastPpFirst and kFlattenDp take") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 4)});
  SECTION("pipeline stages") {
    auto by = Must(twinkle::New<ByMesh>({.remote_group = "g", .device_mesh = Mesh({.pp = 2, .dp = 2})}));
    CHECK(As<List>(by.Number()) == List{3, 4});
    CHECK(As<int64_t>(by.MaybeNumber()) == 2);
    CHECK(As<List>(by.List2()) == List{2, 12, 3, 13});
    CHECK(As<std::tuple<std::vector<List>, List>>(by.Pair()) == std::tuple(std::vector<List>{{2}, {3}}, List{2, 3}));
  }
  SECTION("tensor-parallel peers") {
    auto by = Must(twinkle::New<ByMesh>({.remote_group = "g", .device_mesh = Mesh({.dp = 2, .tp = 2})}));
    CHECK(As<List>(by.Number()) == List{1, 2, 3, 4});
    CHECK(As<List>(by.List2()) == List{0, 10, 2, 12});
    CHECK(As<Tensor>(by.Matrix()) == TensorOf<float>({0, 1, 2, 1}, {2, 2}));
    CHECK(As<Tensor>(by.Wide()) == TensorOf<int32_t>({7, -1, -1, 7, 7, 7}, {2, 3}));
    CHECK(As<Value>(by.DynamicList()) == Value(Value::List{0, "text", 2, "text"}));
  }
}

TEST_CASE("locally the rules of the mesh join the one result") {
  auto session = Begin(Mode::kLocal, {Cpu("g", 4)});
  auto by = Must(twinkle::New<ByMesh>({.remote_group = "g"}));
  CHECK(As<List>(by.Number()) == List{1});
  CHECK(As<int64_t>(by.MaybeNumber()) == 0);
  CHECK(As<List>(by.List2()) == List{0, 10});
}

TEST_CASE("an own collect gets every rank's result and makes what the caller gets") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 3)});
  auto own = Must(twinkle::New<Own>({.remote_group = "g"}));
  CHECK(As<std::string>(own.Number()) == (local ? "1;" : "1;2;3;"));
  CHECK(As<size_t>(own.List2()) == (local ? 1U : 3U));
  const auto refused = own.Half();
  CHECK(refused.Get().status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(Told(refused.Get()), ContainsSubstring("Own.Half") && ContainsSubstring("cannot be joined"));
  const auto thrown = own.Matrix();
  CHECK(thrown.Get().status().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(thrown.Get()), ContainsSubstring("Own.Matrix") && ContainsSubstring("joined too hard"));
}

TEST_CASE("results that cannot be joined are InvalidArgument, saying of which call") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto uneven = Must(twinkle::New<Uneven>({.remote_group = "g"}));
  const auto check = [](const auto& lazy, const char* method, const char* reason) {
    CHECK(lazy.Get().status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(Told(lazy.Get()),
               ContainsSubstring(method) && ContainsSubstring("collect_test.cc:") && ContainsSubstring(reason));
  };
  check(uneven.Ragged(), "Uneven.Ragged", "[ragged]");
  check(uneven.Wide(), "Uneven.Wide", "[ragged]");
  check(uneven.Keys(), "Uneven.Keys", "[key_mismatch]");
  check(uneven.Huge(), "Uneven.Huge", "[overflow]");
}

}  // namespace
