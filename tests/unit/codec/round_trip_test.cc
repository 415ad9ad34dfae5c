// Every kind of value comes back as it was sent.
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

enum Old : int16_t { kFew = -7, kMany = 700 };

TEST_CASE("numbers, bools and enums of every size") {
  CheckRoundTrip<int8_t>(-128);
  CheckRoundTrip<uint8_t>(255);
  CheckRoundTrip<int16_t>(-2);
  CheckRoundTrip<uint32_t>(~0U);
  CheckRoundTrip<int64_t>(std::numeric_limits<int64_t>::min());
  CheckRoundTrip<uint64_t>(~uint64_t{0});
  CheckRoundTrip<long long>(5);
  CheckRoundTrip<char>('c');
  CheckRoundTrip<float>(-0.0F);
  CheckRoundTrip<double>(std::numeric_limits<double>::infinity());
  CheckRoundTrip<bool>(true);
  CheckRoundTrip<bool>(false);
  CheckRoundTrip(Mode::kEval);
  CheckRoundTrip(kMany);
  const absl::StatusOr<double> nan = Sent(std::nan(""));
  REQUIRE(nan.ok());
  CHECK(std::isnan(*nan));
}

TEST_CASE("strings and bytes, short, long and with zeros inside") {
  CheckRoundTrip(std::string());
  CheckRoundTrip(std::string("a\0b", 3));
  CheckRoundTrip(std::string(100000, 'y'));
  CheckRoundTrip(Bytes());
  CheckRoundTrip(Bytes("short"));
  CheckRoundTrip(Bytes(std::string(100000, 'z')));
}

TEST_CASE("lists of numbers, structs, strings, bools and lists") {
  CheckRoundTrip(std::vector<int>());
  CheckRoundTrip(std::vector<int>{1, 2, 3});
  CheckRoundTrip(std::vector<double>(5000, 0.25));
  CheckRoundTrip(std::vector<Point>(1000, Point{5, 6}));
  CheckRoundTrip(std::vector<std::string>{"a", "", std::string(3000, 'c')});
  CheckRoundTrip(std::vector<bool>());
  CheckRoundTrip(std::vector<bool>{true, false, true, true});
  CheckRoundTrip(std::vector<bool>(9000, true));
  CheckRoundTrip(std::vector<std::vector<std::vector<int>>>{{{1}, {}}, {}});
  CheckRoundTrip(std::vector<std::array<float, 3>>(10000, {1, 2, 3}));
  CheckRoundTrip(std::vector<std::array<std::string, 2>>{{"a", "b"}, {"", "c"}});
  CheckRoundTrip(std::vector<Empty>(4));
  CheckRoundTrip(std::vector<std::vector<bool>>{{true}, {}, {false, false}});
}

TEST_CASE("Array of numbers and of strings") {
  CheckRoundTrip(Array<int64_t>());
  CheckRoundTrip(Array<int64_t>({1, 2, 3}));
  CheckRoundTrip(Array<float>(std::vector<float>(5000, 1.5F)));
  CheckRoundTrip(Array<float>(std::vector<float>(5000, 1.5F)).Rows(10, 4000));
  CheckRoundTrip(Array<std::string>({"a", "b"}));
  CheckRoundTrip(Array<Point>(std::vector<Point>(300)));
}

TEST_CASE("tuples, optionals, variants, maps and sets, one inside the other") {
  CheckRoundTrip(std::tuple<int, std::string, std::vector<bool>>{1, "x", {true, false}});
  CheckRoundTrip(std::pair<std::string, std::pair<int, double>>{"p", {1, 2.5}});
  CheckRoundTrip(std::optional<std::string>());
  CheckRoundTrip(std::optional<std::optional<int>>{std::optional<int>{}});
  CheckRoundTrip(std::optional<std::optional<int>>{std::optional<int>{3}});
  CheckRoundTrip(std::variant<std::monostate, int, std::string>());
  CheckRoundTrip(std::variant<int, std::vector<std::string>, int>{std::in_place_index<2>, 4});
  CheckRoundTrip(std::map<std::string, std::vector<Node>>{{"a", {{"p", {}}}}, {"b", {}}});
  CheckRoundTrip(std::map<std::pair<int, bool>, std::set<std::string>>{{{1, true}, {"x", "y"}}, {{2, false}, {}}});
  CheckRoundTrip(std::unordered_map<int, std::optional<Point>>{{1, Point{}}, {2, std::nullopt}});
  CheckRoundTrip(std::unordered_set<std::string>{"a", "b", std::string(3000, 'c')});
}

TEST_CASE("structs with C arrays, nested structs, and one that holds itself") {
  CheckRoundTrip(Node{"r", {{"a", {}}, {"b", {{"c", {}}, {"d", {}}}}}});
  CheckRoundTrip(Everything{});
  CheckRoundTrip(MakeEverything());
  CheckRoundTrip(std::vector<Everything>(2, MakeEverything()));
}

struct Wide {  // the array goes out of band, so that an item takes fewer bytes in the head than in memory
  std::string name;
  std::array<float, 1024> values{};
  bool operator==(const Wide&) const = default;
};

TEST_CASE("large arrays inside the items of lists, optionals and maps") {
  Wide wide{"w", {}};
  wide.values[1000] = 3;
  CheckRoundTrip(wide);
  CheckRoundTrip(std::optional<Wide>(wide));
  CheckRoundTrip(std::vector<Wide>(3, wide));
  CheckRoundTrip(std::map<std::string, Wide>{{"a", wide}, {"b", {}}});
}

// ---- more than a hundred members ---------------------------------------------------------------
#define TEN_INTS(n) \
  int n##0 = 0, n##1 = 1, n##2 = 2, n##3 = 3, n##4 = 4, n##5 = 5, n##6 = 6, n##7 = 7, n##8 = 8, n##9 = 9

struct Hundred {
  std::string first = "first";
  TEN_INTS(a);
  TEN_INTS(b);
  TEN_INTS(c);
  TEN_INTS(d);
  TEN_INTS(e);
  TEN_INTS(f);
  TEN_INTS(g);
  TEN_INTS(h);
  TEN_INTS(i);
  TEN_INTS(j);
  TEN_INTS(k);
  std::string last = "last";
  bool operator==(const Hundred&) const = default;
};
#undef TEN_INTS

TEST_CASE("a struct of more than a hundred members") {
  static_assert(internal::kMemberCount<Hundred> == 112);
  Hundred hundred;
  hundred.a0 = 17;
  hundred.k9 = 18;
  hundred.last = "the end";
  CheckRoundTrip(hundred);
}

// ---- tensors -----------------------------------------------------------------------------------
TEST_CASE("tensors of every element type and of no, one and many dimensions") {
  for (int i = 0; i < kDTypeCount; ++i) CheckRoundTrip(OneTwo(static_cast<DType>(i)));
  CheckRoundTrip(TensorOf<bool>({true, false, true}));
  CheckRoundTrip(TensorOf<uint64_t>({0, ~uint64_t{0}}));
  CheckRoundTrip(TensorOf<std::complex<double>>({{1, -2}, {3, 4}}));
  CheckRoundTrip(TensorOf<int64_t>({-1, 2, 3, 4}, {2, 2}));
  CheckRoundTrip(TensorOf<BFloat16>({BFloat16(1.5F), BFloat16(-2.0F)}));
  CheckRoundTrip(TensorOf<float>(std::vector<float>(6000, 0.5F), {10, 20, 30}));
  CheckRoundTrip(TensorOf<double>({3.25}, {}));
  CheckRoundTrip(TensorOf<double>({3.25}, {1, 1, 1, 1}));
  CheckRoundTrip(Tensor());
  CheckRoundTrip(*Tensor::Zeros(DType::kInt32, {0, 5}));
  CheckRoundTrip(*Tensor::Zeros(DType::kBool, {5, 0, 7}));
}

TEST_CASE("row views of tensors, and empty ones, keep shape and element type") {
  const Tensor whole = TensorOf<int64_t>(std::vector<int64_t>(4000, 3), {1000, 4});
  CheckRoundTrip(whole.Rows(100, 900));
  CheckRoundTrip(whole.Rows(7, 8));
  const Tensor none = whole.Rows(5, 5);
  CheckRoundTrip(none);
  CHECK(Sent(none)->shape() == std::vector<int64_t>{0, 4});
}

TEST_CASE("dynamic values of every kind") {
  CheckRoundTrip(Value());
  CheckRoundTrip(Value(true));
  CheckRoundTrip(Value(-5));
  CheckRoundTrip(Value(2.5));
  CheckRoundTrip(Value(std::string(4000, 'v')));
  CheckRoundTrip(Value(Value::List{}));
  CheckRoundTrip(Value(Value::List{1, Value::List{2, Value::Tuple{{"x", nullptr}}}}));
  CheckRoundTrip(Value(Value::Tuple{}));
  CheckRoundTrip(Value(Value::Dict{}));
  CheckRoundTrip(Value(TensorOf<float>(std::vector<float>(4000, 1), {40, 100})));
  CheckRoundTrip(MakeEverything().value);
  CheckRoundTrip(std::vector<Value>{1, "two", Value::List{3.0}});
}

}  // namespace
}  // namespace twinkle::codec
