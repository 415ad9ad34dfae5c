#include "runtime/dispatch/collect.h"

#include <absl/strings/match.h>

#include <array>
#include <cmath>
#include <complex>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/dispatch/collect_rules.h"
#include "tests/support/catch.h"
#include "tests/support/to_value.h"

namespace twinkle::dispatch {
namespace {

using base::ReasonOf;
using internal::kType;
using tests::AgreeInValue;
using tests::ToValue;
using Ints = std::vector<int>;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

struct Losses {
  double loss = 0;
  float accuracy = 0;
  bool operator==(const Losses&) const = default;
};
struct Counts {
  int8_t small = 0;
  uint64_t large = 0;
  double seconds = 0;
  std::map<std::string, int32_t> by_name;
  bool operator==(const Counts&) const = default;
};
struct Rows {
  std::vector<std::string> names;
  Tensor values;
  bool operator==(const Rows&) const = default;
};

Tensor Floats(std::vector<float> elements) { return *Tensor::FromVector<float>(std::move(elements)); }

// ---- typed and dynamic side by side
template <class C, class R>
absl::StatusOr<C> Join(Collect rule, std::deque<R> results, bool move, const codec::Padding& padding = {}) {
  std::vector<void*> parts;
  for (R& result : results) parts.push_back(&result);
  C out{};
  const absl::Status status = JoinResults(rule, padding, kType<R>, parts, move, kType<C>, &out);
  if (!status.ok()) return status;
  return out;
}

template <class R>
absl::StatusOr<Value> JoinDynamic(Collect rule, const std::deque<R>& results) {
  std::vector<Value> values;
  for (const R& result : results) values.push_back(ToValue(result));
  return CollectValues(rule, {}, std::move(values), nullptr, /*local=*/true);
}

// `results` give `expected`, copied or moved, and so they do as Values.
template <class R, class C>
void Check(Collect rule, const std::deque<R>& results, const C& expected) {
  for (bool move : {false, true}) {
    const absl::StatusOr<C> typed = Join<C>(rule, results, move);
    INFO(typed.status());
    REQUIRE(typed.ok());
    CHECK((*typed == expected));
  }
  const absl::StatusOr<Value> dynamic = JoinDynamic(rule, results);
  INFO(dynamic.status());
  REQUIRE(dynamic.ok());
  CHECK(AgreeInValue(*dynamic, ToValue(expected)));
}

template <class C, class R>
void CheckRefused(Collect rule, const std::deque<R>& results, const std::string& reason) {
  CHECK(ReasonOf(Join<C>(rule, results, false).status()) == reason);
  CHECK(ReasonOf(JoinDynamic(rule, results).status()) == reason);
}

TEST_CASE("rules are found by the reference's names") {
  CHECK(*CollectNamed("mean") == Collect::kMean);
  CHECK(*CollectNamed("avg") == Collect::kMean);
  CHECK(*CollectNamed("last_pp_first") == Collect::kLastPpFirst);
  CHECK(ReasonOf(CollectNamed("max").status()) == "unsupported_collect");
  CHECK(ReasonOf(CollectNamed("None").status()) == "unsupported_collect");
}

// ---- the table of collected types, row by row
TEST_CASE("none and last_pp give a list") {
  for (Collect rule : {Collect::kNone, Collect::kLastPp}) {
    Check<int>(rule, {1, 2, 3}, Ints{1, 2, 3});
    Check<bool>(rule, {true, false}, std::vector<bool>{true, false});
    Check<std::string>(rule, {"a", "b"}, std::vector<std::string>{"a", "b"});
    Check<Ints>(rule, {{1}, {}}, std::vector<Ints>{{1}, {}});
    Check<Losses>(rule, {{1, 2}, {3, 4}}, std::vector<Losses>{{1, 2}, {3, 4}});
    Check<Tensor>(rule, {Floats({1}), Floats({2, 3})}, std::vector<Tensor>{Floats({1}), Floats({2, 3})});
  }
}

TEST_CASE("a typed list stays one when there is one result, a Value is unwrapped") {
  CHECK(*Join<Ints>(Collect::kNone, std::deque<int>{5}, false) == Ints{5});
  CHECK(*JoinDynamic(Collect::kNone, std::deque<int>{5}) == Value(5));
  CHECK(*JoinDynamic(Collect::kLastPp, std::deque<int>{5}) == Value(Value::List{5}));
}

TEST_CASE("tuples are collected element by element") {
  using Pairs = std::tuple<int, std::string>;
  using Lists = std::tuple<Ints, std::vector<std::string>>;
  Check<Pairs>(Collect::kNone, {{1, "a"}, {2, "b"}}, Lists{{1, 2}, {"a", "b"}});
  Check<Pairs>(Collect::kFirst, {{1, "a"}, {2, "b"}}, Pairs{1, "a"});
  Check<Lists>(Collect::kFlatten, {{{1}, {"a"}}, {{2, 3}, {}}}, Lists{{1, 2, 3}, {"a"}});
  using Numbers = std::tuple<int, double>;
  Check<Numbers>(Collect::kSum, {{1, 0.5}, {2, 0.25}}, std::tuple<int64_t, double>{3, 0.75});
  Check<Numbers>(Collect::kMean, {{1, 0.5}, {2, 0.25}}, std::tuple<double, double>{1.5, 0.375});
  using Nested = std::tuple<int, std::tuple<bool, int>>;
  using NestedLists = std::tuple<Ints, std::tuple<std::vector<bool>, Ints>>;
  Check<Nested>(Collect::kNone, {{1, {true, 3}}, {4, {false, 6}}}, NestedLists{{1, 4}, {{true, false}, {3, 6}}});
  CheckRefused<std::tuple<int64_t, double>, std::tuple<int64_t, double>>(Collect::kSum, {{kMost, 0}, {1, 0}},
                                                                         "overflow");
}

TEST_CASE("flatten joins lists, tensors, maps and aggregates of them") {
  for (Collect rule : {Collect::kFlatten, Collect::kFlattenDp}) {
    Check<Ints>(rule, {{1, 2}, {}, {3}}, Ints{1, 2, 3});
    Check<std::vector<bool>>(rule, {{true}, {false, true}}, std::vector<bool>{true, false, true});
    Check<Array<double>>(rule, {Array<double>({1}), Array<double>({2, 3})}, Array<double>({1, 2, 3}));
    Check<Tensor>(rule, {Floats({1}), Floats({2, 3})}, Floats({1, 2, 3}));
    using Map = std::map<std::string, Ints>;
    Check<Map>(rule, {{{"a", {1}}, {"b", {}}}, {{"a", {2}}, {"b", {3}}}}, Map{{"a", {1, 2}}, {"b", {3}}});
    Check<Rows>(rule, {{{"x"}, Floats({1})}, {{}, Floats({2})}}, Rows{{"x"}, Floats({1, 2})});
  }
}

TEST_CASE("flatten refuses what does not fit together") {
  using Map = std::map<std::string, Ints>;
  CheckRefused<Map, Map>(Collect::kFlatten, {{{"a", {1}}}, {{"b", {1}}}}, "key_mismatch");
  const Tensor wide = *Tensor::Zeros(DType::kFloat32, {1, 3});
  const Tensor narrow = *Tensor::Zeros(DType::kFloat32, {2, 2});
  CheckRefused<Tensor, Tensor>(Collect::kFlatten, {wide, narrow}, "ragged");
  const auto padded =
      Join<Tensor>(Collect::kFlatten, std::deque<Tensor>{wide, narrow}, false, {.given = true, .value = -200});
  REQUIRE(padded.ok());
  CHECK((padded->shape() == std::vector<int64_t>{3, 3}));
}

TEST_CASE("first and last_pp_first give the result itself") {
  for (Collect rule : {Collect::kFirst, Collect::kLastPpFirst}) {
    Check<int>(rule, {4, 5}, 4);
    Check<bool>(rule, {true, false}, true);
    Check<Losses>(rule, {{1, 2}, {3, 4}}, Losses{1, 2});
    Check<std::vector<bool>>(rule, {{true}, {}}, std::vector<bool>{true});
  }
}

TEST_CASE("the mean of numbers, lists and tensors is a double") {
  Check<int>(Collect::kMean, {1, 2, 6}, 3.0);
  Check<bool>(Collect::kMean, {true, false}, 0.5);
  Check<float>(Collect::kMean, {0.5F, 0.25F}, 0.375);
  Check<Ints>(Collect::kMean, {{1, 2}, {3, 6}}, 3.0);
  Check<std::vector<std::vector<float>>>(Collect::kMean, {{{1}, {2}}, {{3}, {8}}}, 3.5);
  Check<Tensor>(Collect::kMean, {Floats({0, 1}), Floats({4, 5})}, 2.5);
  CheckRefused<double, Ints>(Collect::kMean, {{1}, {2, 3}}, "ragged");
  CHECK(std::isnan(*Join<double>(Collect::kMean, std::deque<Ints>{{}, {}}, false)));
}

TEST_CASE("the mean of maps goes over the results that have the key") {
  using Means = std::map<std::string, double>;
  using Map = std::map<std::string, int>;
  Check<Map>(Collect::kMean, {{{"a", 1}, {"b", 5}}, {{"a", 3}, {"c", 7}}}, Means{{"a", 2}, {"b", 5}, {"c", 7}});
  Check<Map>(Collect::kMean, {{}, {}}, Means{});
  using Hashed = std::unordered_map<std::string, std::vector<double>>;
  Check<Hashed>(Collect::kMean, {{{"a", {1, 2}}}, {{"a", {3, 6}}}}, Means{{"a", 3}});
  using Named = std::map<std::string, Tensor>;
  Check<Named>(Collect::kMean, {{{"a", Floats({1, 2})}}}, Means{{"a", 1.5}});
}

TEST_CASE("the mean of an aggregate of floats is that aggregate") {
  Check<Losses>(Collect::kMean, {{1, 0.5F}, {2, 0.25F}}, Losses{1.5, 0.375F});
}

TEST_CASE("sums of integers are int64, of floats and tensors double, of lists as their numbers") {
  Check<int>(Collect::kSum, {1, 2, 4}, int64_t{7});
  Check<bool>(Collect::kSum, {true, true}, int64_t{2});
  Check<uint8_t>(Collect::kSum, {200, 100}, int64_t{300});
  Check<float>(Collect::kSum, {0.5F, 0.25F}, 0.75);
  Check<Ints>(Collect::kSum, {{1, 2}, {3, 4}}, int64_t{10});
  Check<Ints>(Collect::kSum, {{}, {}}, int64_t{0});
  Check<std::vector<double>>(Collect::kSum, {{1, 2}, {3, 4.5}}, 10.5);
  Check<Tensor>(Collect::kSum, {Floats({0, 1}), Floats({5, 6})}, 12.0);
  CheckRefused<int64_t, int64_t>(Collect::kSum, {kMost, 1}, "overflow");
  CheckRefused<int64_t, Ints>(Collect::kSum, {{1}, {2, 3}}, "ragged");
}

TEST_CASE("maps and aggregates are summed member by member") {
  using Map = std::map<std::string, int>;
  using Sums = std::map<std::string, int64_t>;
  Check<Map>(Collect::kSum, {{{"a", 1}}, {{"a", 2}, {"b", 3}}}, Sums{{"a", 3}, {"b", 3}});
  using Nested = std::map<std::string, Losses>;
  CHECK((*Join<Nested>(Collect::kSum, std::deque<Nested>{{{"a", {1, 2}}}, {{"a", {3, 4}}}}, false) ==
         Nested{{"a", {4, 6}}}));
  const std::deque<Counts> counts = {{1, 2, 0.5, {{"a", 1}}}, {3, 4, 0.25, {{"b", 2}}}};
  const auto sum = Join<Counts>(Collect::kSum, counts, false);
  REQUIRE(sum.ok());
  CHECK((*sum == Counts{4, 6, 0.75, {{"a", 1}, {"b", 2}}}));
}

TEST_CASE("a sum must fit into the aggregate's member") {
  const std::deque<Counts> counts = {{100, 0, 0, {}}, {100, 0, 0, {}}};
  const absl::Status status = Join<Counts>(Collect::kSum, counts, false).status();
  CHECK(ReasonOf(status) == "overflow");
  CHECK(absl::StrContains(status.message(), "member 0: 200 does not fit into the signed char"));
}

// ---- which workers' results
TEST_CASE("used workers") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.pp = 2, .dp = 2, .tp = 2});
  CHECK(*UsedWorkers(Collect::kSum, 3, nullptr, false) == Ints{0, 1, 2});
  CHECK(*UsedWorkers(Collect::kFirst, 3, nullptr, false) == Ints{0});
  CHECK(*UsedWorkers(Collect::kLastPp, 8, &mesh, false) == Ints{4, 5, 6, 7});
  CHECK(*UsedWorkers(Collect::kLastPpFirst, 8, &mesh, false) == Ints{4});
  CHECK(*UsedWorkers(Collect::kFlattenDp, 8, &mesh, false) == Ints{4, 6});
  for (Collect rule : {Collect::kLastPp, Collect::kLastPpFirst, Collect::kFlattenDp}) {
    CHECK(ReasonOf(UsedWorkers(rule, 2, nullptr, false).status()) == "mesh_required");
    CHECK(ReasonOf(UsedWorkers(rule, 3, &mesh, false).status()) == "mesh_worker_mismatch");
    CHECK(*UsedWorkers(rule, 1, nullptr, true) == Ints{0});
    CHECK(UsedWorkers(rule, 0, nullptr, false)->empty());
  }
}

// ---- what only Values can do
std::string DynamicRefusal(Collect rule, std::vector<Value> results) {
  return ReasonOf(CollectValues(rule, {}, std::move(results), nullptr).status());
}
Value Dynamic(Collect rule, std::vector<Value> results) {
  const auto collected = CollectValues(rule, {}, std::move(results), nullptr);
  INFO(collected.status());
  REQUIRE(collected.ok());
  return *collected;
}

TEST_CASE("the first result decides whether Values are tuples") {
  const Value pair = Value::Tuple{{1, Value::List{2}}};
  CHECK(Dynamic(Collect::kNone, {1, pair}) == Value(Value::List{1, pair}));
  CHECK(DynamicRefusal(Collect::kNone, {pair, 1}) == "not_a_tuple");
  CHECK(DynamicRefusal(Collect::kFirst, {pair, 1}) == "not_a_tuple");
  CHECK(DynamicRefusal(Collect::kSum, {pair, Value::Tuple{{1}}}) == "tuple_length_mismatch");
  CHECK(Dynamic(Collect::kFirst, {pair, pair}) == Value(Value::List{1, Value::List{2}}));
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.pp = 2});
  const auto last = CollectValues(Collect::kLastPp, {}, {Value(), pair}, &mesh);
  REQUIRE(last.ok());
  CHECK(*last == Value(Value::List{pair}));
}

TEST_CASE("no results are an empty list") {
  CHECK(Dynamic(Collect::kLastPp, {}) == Value(Value::List{}));
  CHECK(Dynamic(Collect::kMean, {}) == Value(Value::List{}));
}

TEST_CASE("the mean of dicts keeps what cannot be averaged, the sum refuses it") {
  const Value first = Value::Dict{{"n", 1}, {"name", "x"}, {"rows", Value::List{1}}};
  const Value second = Value::Dict{{"n", 2}, {"name", "y"}, {"rows", Value::List{1, 2}}};
  const Value names = Value::List{"x", "y"};
  const Value rows = Value::List{Value::List{1}, Value::List{1, 2}};
  CHECK(Dynamic(Collect::kMean, {first, second}) == Value(Value::Dict{{"n", 1.5}, {"name", names}, {"rows", rows}}));
  CHECK(DynamicRefusal(Collect::kSum, {first, second}) == "not_numeric");
  CHECK(DynamicRefusal(Collect::kMean, {first, 1}) == "not_a_dict");
  CHECK(DynamicRefusal(Collect::kMean, {1, first}) == "not_numeric");
  const Value nested = Value::Dict{{"m", Value::Dict{{"x", 1}}}};
  CHECK(Dynamic(Collect::kMean, {nested}) == Value(Value::Dict{{"m", Value(Value::List{Value::Dict{{"x", 1}}})}}));
}

TEST_CASE("a flattened Value is of the first result's kind") {
  const Value tensor = *Tensor::FromVector<double>({4, 5});
  CHECK(Dynamic(Collect::kFlatten, {Value::List{1}, Value::Tuple{{2, 3}}}) == Value(Value::List{1, 2, 3}));
  CHECK(Dynamic(Collect::kFlatten, {Value::List{1.5}, tensor}) == Value(Value::List{1.5, 4.0, 5.0}));
  CHECK(Dynamic(Collect::kFlatten, {tensor, Value::List{2.5}}) == Value(*Tensor::FromVector<double>({4, 5, 2.5})));
  const Value matrix = *Tensor::FromVector<int64_t>({1, 2}, {1, 2});
  CHECK(Dynamic(Collect::kFlatten, {matrix, Value::List{Value(Value::List{3, 4})}, Value::List{}}) ==
        Value(*Tensor::FromVector<int64_t>({1, 2, 3, 4}, {2, 2})));
  const Value row = *Tensor::FromVector<int64_t>({1, 2});
  CHECK(Dynamic(Collect::kFlatten, {Value::List{0}, matrix}) == Value(Value::List{0, row}));
  CHECK(Dynamic(Collect::kFlatten, {Value::Dict{}, Value::Dict{}}) == Value(Value::Dict{}));
}

TEST_CASE("why Values cannot be flattened") {
  const Value scalar = *Tensor::FromVector<float>({1}, {});
  const Value list = Value::List{1};
  const Value tensor = Floats({1});
  for (const Value& bad : {Value(), Value(1), Value(true), Value(0.5), scalar}) {
    CHECK(DynamicRefusal(Collect::kFlatten, {bad}) == "not_iterable");
    CHECK(DynamicRefusal(Collect::kFlatten, {list, bad}) == "not_iterable");
    CHECK(DynamicRefusal(Collect::kFlatten, {tensor, bad}) == "not_iterable");
    CHECK(DynamicRefusal(Collect::kFlatten, {Value::Dict{{"a", bad}}}) == "not_flattenable");
  }
  CHECK(DynamicRefusal(Collect::kFlatten, {"ab", "c"}) == "not_flattenable");
  CHECK(DynamicRefusal(Collect::kFlatten, {Value::Dict{}, list}) == "key_mismatch");
  CHECK(DynamicRefusal(Collect::kFlatten, {list, Value::Dict{}}) == "not_iterable");
  CHECK(DynamicRefusal(Collect::kFlatten, {tensor, Value::List{"a"}}) == "not_flattenable");
  CHECK(DynamicRefusal(Collect::kFlatten, {tensor, Value::List{Value(Value::List{1})}}) == "ragged");
  const Value inner = Value::Dict{{"d", Value::Dict{{"a", list}}}};
  const Value other = Value::Dict{{"d", Value::Dict{{"b", list}}}};
  CHECK(DynamicRefusal(Collect::kFlatten, {inner, other}) == "not_flattenable");
}

// ---- element by element
struct Gradients {
  Tensor weights;
  std::vector<float> bias;
  std::map<std::string, Tensor> named;
  double loss = 0;
  bool operator==(const Gradients&) const = default;
};
struct Tally {
  int8_t small = 0;
  std::vector<int32_t> each;
  std::array<double, 2> pair = {};
  bool operator==(const Tally&) const = default;
};

TEST_CASE("sum_each and mean_each go element by element and keep the shape") {
  using Doubles = std::vector<double>;
  Check<int>(Collect::kSumEach, {1, 2, 4}, int64_t{7});
  Check<int>(Collect::kMeanEach, {1, 2, 4}, 7 / 3.0);
  Check<bool>(Collect::kSumEach, {true, false, true}, int64_t{2});
  Check<float>(Collect::kMeanEach, {1, 2}, 1.5F);
  Check<Ints>(Collect::kSumEach, {{1, 2}, {3, 4}}, std::vector<int64_t>{4, 6});
  Check<Ints>(Collect::kMeanEach, {{1, 2}, {2, 4}}, Doubles{1.5, 3});
  Check<Ints>(Collect::kSumEach, {{}, {}}, std::vector<int64_t>{});
  Check<std::vector<bool>>(Collect::kSumEach, {{true, false}, {true, true}}, std::vector<int64_t>{2, 1});
  Check<std::vector<std::vector<float>>>(Collect::kSumEach, {{{1}, {2, 3}}, {{4}, {5, 6}}},
                                         std::vector<std::vector<float>>{{5}, {7, 9}});
  Check<Tensor>(Collect::kMeanEach, {Floats({1, 2}), Floats({3, 6})}, Floats({2, 4}));
  Check<Gradients>(Collect::kMeanEach,
                   {{Floats({1, 3}), {1}, {{"a", Floats({2})}}, 1}, {Floats({3, 5}), {2}, {{"a", Floats({4})}}, 2}},
                   Gradients{Floats({2, 4}), {1.5}, {{"a", Floats({3})}}, 1.5});
  Check<Tally>(Collect::kSumEach, {{1, {1, 2}, {1, 2}}, {2, {3, 4}, {3, 4}}}, Tally{3, {4, 6}, {4, 6}});
  using Pair = std::tuple<Ints, float>;
  Check<Pair>(Collect::kSumEach, {{{1}, 2}, {{3}, 4}}, std::tuple<std::vector<int64_t>, float>{{4}, 6});
}

TEST_CASE("a map goes key by key, and all ranks have the same keys") {
  using Map = std::map<std::string, std::vector<double>>;
  Check<Map>(Collect::kMeanEach, {{{"a", {1, 2}}, {"b", {4}}}, {{"b", {6}}, {"a", {3, 4}}}},
             Map{{"a", {2, 3}}, {"b", {5}}});
  const auto refused = Join<Map>(Collect::kMeanEach, std::deque<Map>{{{"a", {1}}}, {{"a", {1}}, {"b", {4}}}}, false);
  CHECK(ReasonOf(refused.status()) == "key_mismatch");
  CHECK(absl::StrContains(refused.status().message(), "rank 1 gave the key 'b', rank 0 did not"));
  CheckRefused<Map, Map>(Collect::kSumEach, {{{"a", {1}}, {"b", {1}}}, {{"a", {1}}}}, "key_mismatch");
  const std::vector<Value> dynamic = {Value(Value::Dict{{"a", 1}}), Value(Value::Dict{{"b", 1}})};
  CHECK(ReasonOf(CollectValues(Collect::kSumEach, {}, dynamic, nullptr, true).status()) == "key_mismatch");
  CHECK(*Join<Map>(Collect::kSumEach,
                   std::deque<std::unordered_map<std::string, std::vector<double>>>{{{"a", {1}}}, {{"a", {2}}}},
                   false) == Map{{"a", {3}}});
}

TEST_CASE("a tensor keeps its dtype, integers are averaged to float64") {
  const auto ints = [](std::vector<int32_t> elements) { return *Tensor::FromVector<int32_t>(std::move(elements)); };
  Check<Tensor>(Collect::kSumEach, {ints({1, 2}), ints({3, 4})}, ints({4, 6}));
  Check<Tensor>(Collect::kMeanEach, {ints({1, 2}), ints({2, 2})}, *Tensor::FromVector<double>({1.5, 2}));
  const auto bools = [](std::vector<bool> elements) { return *Tensor::FromVector<bool>(std::move(elements)); };
  Check<Tensor>(Collect::kSumEach, {bools({true, false}), bools({true, true})}, *Tensor::FromVector<int64_t>({2, 1}));
  const auto halves = [](float number) { return *Tensor::FromVector<BFloat16>({BFloat16(number)}); };
  Check<Tensor>(Collect::kMeanEach, {halves(1), halves(2)}, halves(1.5));
  const auto eighths = [](float number) { return *Tensor::FromVector<Float8E4M3Fn>({Float8E4M3Fn(number)}); };
  Check<Tensor>(Collect::kMeanEach, {eighths(448), eighths(384)}, eighths(416));
  const auto bytes = [](std::vector<int8_t> elements) { return *Tensor::FromVector<int8_t>(std::move(elements)); };
  Check<Tensor>(Collect::kSumEach, {bytes({100, -1}), bytes({27, -2})}, bytes({127, -3}));
  CheckRefused<Tensor, Tensor>(Collect::kSumEach, {bytes({100}), bytes({28})}, "overflow");
}

TEST_CASE("complex tensors are neither summed nor averaged, and the text says so") {
  const Tensor complex = *Tensor::FromVector<std::complex<float>>({{1, 2}});
  for (const Collect rule : {Collect::kMeanEach, Collect::kSumEach}) {
    const absl::Status refused = Join<Tensor>(rule, std::deque<Tensor>{complex, complex}, false).status();
    CHECK(ReasonOf(refused) == "not_numeric");
    CHECK(absl::StrContains(refused.message(),
                            "rank 0 gave a complex64 tensor of shape {1}: complex numbers cannot be "));
    CHECK(DynamicRefusal(rule, {Value(complex), Value(complex)}) == "not_numeric");
  }
  CheckRefused<double, Tensor>(Collect::kSum, {complex}, "not_numeric");
  Check<Tensor>(Collect::kFlatten, {complex, Floats({3})}, *Tensor::FromVector<std::complex<float>>({{1, 2}, {3, 0}}));
}

TEST_CASE("sum_each adds in the order of the ranks, as double, and rounds once") {
  const float small = 1e-8F;
  // As float 1 + 1e-8 would be 1 each time.
  CHECK(*Join<float>(Collect::kSumEach, std::deque<float>{1, small, small, -1}, false) == 2e-8F);
  std::vector<float> many(1500);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  std::vector<float> twice = many;
  for (float& number : twice) number *= 2;
  CHECK(*Join<std::vector<float>>(Collect::kSumEach, std::deque<std::vector<float>>{many, many}, false) == twice);
}

TEST_CASE("sum_each of results of different shapes names two ranks") {
  CheckRefused<std::vector<int64_t>, Ints>(Collect::kSumEach, {{1, 2}, {3, 4}, {5}}, "ragged");
  const auto refused = Join<std::vector<int64_t>>(Collect::kSumEach, std::deque<Ints>{{1, 2}, {3, 4}, {5}}, false);
  CHECK(absl::StrContains(refused.status().message(), "rank 2 gave a list of 1, rank 0 a list of 2"));
  CheckRefused<Tensor, Tensor>(Collect::kMeanEach, {Floats({1}), Floats({1, 2})}, "ragged");
  CheckRefused<Tensor, Tensor>(Collect::kMeanEach, {Floats({1}), *Tensor::FromVector<double>({1})}, "ragged");
  CheckRefused<int64_t, int64_t>(Collect::kSumEach, {kMost, 1}, "overflow");
  CHECK(ReasonOf(Join<Tally>(Collect::kSumEach, std::deque<Tally>{{100, {}, {}}, {100, {}, {}}}, false).status()) ==
        "overflow");
  CHECK(ReasonOf(JoinDynamic(Collect::kSumEach, std::deque<std::string>{"a", "b"}).status()) == "not_numeric");
  const std::vector<Value> mixed = {Value(1), Value(Value::List{1})};
  CHECK(ReasonOf(CollectValues(Collect::kSumEach, {}, mixed, nullptr, true).status()) == "ragged");
}

}  // namespace
}  // namespace twinkle::dispatch
