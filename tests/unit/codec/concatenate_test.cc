#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <array>
#include <complex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

using base::ReasonOf;
using internal::kType;
using Shape = std::vector<int64_t>;

absl::StatusOr<Tensor> Joined(const std::vector<Tensor>& tensors, const Padding& padding = {}) {
  std::vector<const Tensor*> parts;
  for (const Tensor& tensor : tensors) parts.push_back(&tensor);
  return ConcatenateTensors(parts, padding);
}

template <class T>
absl::StatusOr<T> Joined(std::vector<T> values, bool move = false, const Padding& padding = {}) {
  std::vector<void*> parts;
  for (T& value : values) parts.push_back(&value);
  T joined{};
  absl::Status status = Concatenate(kType<T>, &joined, parts, move, padding);
  if (!status.ok()) return status;
  return joined;
}

// ---- element types -----------------------------------------------------------------------------
TEST_CASE("element types are promoted, and the numbers stay what they are, in either order") {
  for (int a = 0; a < kDTypeCount; ++a) {
    for (int b = 0; b < kDTypeCount; ++b) {
      const Tensor left = OneTwo(static_cast<DType>(a)).Rows(0, 1);
      const Tensor right = OneTwo(static_cast<DType>(b)).Rows(0, 1);
      INFO(DTypeName(left.dtype()) << " and " << DTypeName(right.dtype()));
      const absl::StatusOr<Tensor> joined = Joined({left, right});
      REQUIRE(joined.ok());
      REQUIRE(joined->dtype() == Promoted(left.dtype(), right.dtype()));
      const Tensor one = OneTwo(joined->dtype()).Rows(0, 1);
      CHECK((joined->Rows(0, 1) == one));
      CHECK((joined->Rows(1, 2) == one));
    }
  }
}

TEST_CASE("tensors without rows still count for the element type") {
  const Tensor joined = *Joined({TensorOf<int32_t>({1, 2}), *Tensor::Zeros(DType::kFloat64, {0})});
  CHECK((joined == TensorOf<double>({1, 2})));
}

TEST_CASE("Tensor() is no rows of any shape or element type") {
  const Tensor matrix = TensorOf<int64_t>({1, 2}, {1, 2});
  CHECK((*Joined({Tensor(), matrix, Tensor()}) == matrix));
  CHECK((*Joined({TensorOf<int64_t>({1}), Tensor()}) == TensorOf<int64_t>({1})));
  CHECK((*Joined({Tensor(), Tensor()}) == Tensor()));
}

TEST_CASE("elements keep their values when they are converted") {
  const Tensor joined = *Joined({TensorOf<int64_t>({-3, 1 << 30}), TensorOf<BFloat16>({BFloat16(-1.5F)})});
  CHECK((joined == TensorOf<double>({-3, 1 << 30, -1.5})));
  using Complex = std::complex<double>;
  const Tensor complex = *Joined({TensorOf<std::complex<float>>({{1, -2}}), TensorOf<int64_t>({7})});
  CHECK((complex == TensorOf<Complex>({{1, -2}, {7, 0}})));
  const std::vector<uint16_t> many(1000, 65535);
  const Tensor floats = *Joined({TensorOf<uint16_t>(many), TensorOf<Float8E5M2>({Float8E5M2(-0.25F)})});
  std::vector<float> expected(1000, 65535);
  expected.push_back(-0.25F);
  CHECK((floats == TensorOf<float>(expected)));
}

// ---- shapes ------------------------------------------------------------------------------------
TEST_CASE("rows follow one another; all other dimensions must agree") {
  const Tensor joined = *Joined({TensorOf<int32_t>({1, 2}, {1, 2}), TensorOf<int32_t>({3, 4, 5, 6}, {2, 2})});
  CHECK((joined == TensorOf<int32_t>({1, 2, 3, 4, 5, 6}, {3, 2})));
  CHECK(Joined({*Tensor::Zeros(DType::kBool, {0, 3}), *Tensor::Zeros(DType::kBool, {2, 3})})->shape() == Shape{2, 3});
  CHECK(ReasonOf(Joined({*Tensor::Zeros(DType::kBool, {1, 2}), *Tensor::Zeros(DType::kBool, {1, 3})}).status()) ==
        "ragged");
  CHECK(ReasonOf(Joined({*Tensor::Zeros(DType::kBool, {2}), *Tensor::Zeros(DType::kBool, {2, 1})}).status()) ==
        "ragged");
  CHECK(ReasonOf(Joined({TensorOf<float>({1}, {})}).status()) == "not_iterable");
}

TEST_CASE("with padding every dimension but the first is filled up on the right") {
  const Padding padding{true, -200};
  const Tensor joined = *Joined({TensorOf<int32_t>({1, 2, 3}, {1, 3}), TensorOf<int32_t>({4, 5}, {2, 1})}, padding);
  CHECK((joined == TensorOf<int32_t>({1, 2, 3, 4, -200, -200, 5, -200, -200}, {3, 3})));
  const Tensor deep = *Joined({TensorOf<float>({1, 2}, {1, 2, 1}), TensorOf<float>({3, 4}, {1, 1, 2})}, padding);
  CHECK((deep == TensorOf<float>({1, -200, 2, -200, 3, 4, -200, -200}, {2, 2, 2})));
  CHECK(ReasonOf(Joined({*Tensor::Zeros(DType::kBool, {2}), *Tensor::Zeros(DType::kBool, {2, 1})}, padding).status()) ==
        "ragged");
}

TEST_CASE("padding is of the joined element type") {
  const Tensor joined = *Joined({TensorOf<int32_t>({1, 2}, {1, 2}), TensorOf<double>({0.5}, {1, 1})}, {true, 0.25});
  CHECK((joined == TensorOf<double>({1, 2, 0.5, 0.25}, {2, 2})));
}

TEST_CASE("every element type can be filled up with a number that it has") {
  for (int i = 0; i < kDTypeCount; ++i) {
    const Tensor two = OneTwo(static_cast<DType>(i));
    INFO(DTypeName(two.dtype()));
    const auto matrix = [&](std::vector<int64_t> shape) {
      return *Tensor::FromBuffer(two.dtype(), std::move(shape), two.owner(), two.raw(), true);
    };
    const Tensor joined = *Joined({matrix({1, 2}), matrix({1, 1})}, {true, 2});  // a bool 2 is 1
    const Tensor packed = *Tensor::FromBuffer(two.dtype(), {4}, joined.owner(), joined.raw(), true);
    CHECK((packed.Rows(0, 2) == two));
    CHECK((packed.Rows(2, 4) == two));
  }
}

TEST_CASE("what fills up a tensor of bools is a bool") {
  const Tensor joined = *Joined({TensorOf<bool>({true, false}, {1, 2}), TensorOf<bool>({false}, {1, 1})}, {true, -200});
  CHECK((joined == TensorOf<bool>({true, false, false, true}, {2, 2})));
  CHECK(Sent(joined).ok());  // other bytes would not be taken in
}

// ---- values ------------------------------------------------------------------------------------
TEST_CASE("lists, structs and dicts of lists are joined member by member") {
  struct Pair {
    std::vector<std::string> names;
    Tensor values;
    bool operator==(const Pair&) const = default;
  };
  const Pair joined = *Joined<Pair>({{{"a"}, TensorOf<float>({1})}, {{}, TensorOf<float>({2, 3})}});
  CHECK((joined == Pair{{"a"}, TensorOf<float>({1, 2, 3})}));
  using Dict = std::map<std::string, std::vector<bool>>;
  CHECK(*Joined<Dict>({{{"x", {true}}}, {{"x", {false, true}}}}) == Dict{{"x", {true, false, true}}});
}

TEST_CASE("dicts with different keys, and what is no list, are not joined") {
  using Dict = std::map<std::string, std::vector<int>>;
  CHECK(ReasonOf(Joined<Dict>({{{"a", {1}}}, {{"b", {1}}}}).status()) == "key_mismatch");
  CHECK(ReasonOf(Joined<Dict>({{{"a", {1}}, {"b", {}}}, {{"a", {1}}}}).status()) == "key_mismatch");
  CHECK(ReasonOf(Joined<int>({1, 2}).status()) == "not_flattenable");
  CHECK(ReasonOf(Joined<std::string>({"a", "b"}).status()) == "not_flattenable");
  using Maybe = std::optional<std::vector<int>>;
  CHECK(ReasonOf(Joined<Maybe>({Maybe{}, Maybe{}}).status()) == "not_flattenable");
  CHECK(ReasonOf(Joined<Maybe>({std::vector<int>{1}, Maybe{}}).status()) == "not_iterable");
  CHECK(*Joined<Maybe>({std::vector<int>{1}, std::vector<int>{2}}) == Maybe({1, 2}));
}

TEST_CASE("what has no rows is not joined, and the text names the member, once the reason, and the way out") {
  struct Batch {
    std::vector<int> ids;
    std::pair<std::vector<int>, std::vector<int>> both;
  };
  struct Outer {
    std::map<std::string, Batch> by_name;
  };
  const Outer part = {{{"x", {{1}, {{2}, {3}}}}}};
  const absl::Status refused = Joined<Outer>({part, part}).status();
  CHECK(ReasonOf(refused) == "not_flattenable");
  CHECK(absl::StartsWith(refused.message(), "at 'member 0': at 'x': at 'member 1': only lists, tensors and"));
  CHECK(absl::EndsWith(refused.message(),
                       ": put lists and tensors that belong together into a struct [not_flattenable]"));
  const Value dict = Value::Dict{{"a", Value::Dict{{"b", "text"}}}};
  const std::string text(Joined<Value>({dict, dict}).status().message());
  CHECK(text.find("at 'a': at 'b': ") == 0);
  CHECK(text.find("[not_flattenable]") == text.size() - 17);
}

TEST_CASE("items are copied, or moved when the parts may be taken apart") {
  using Texts = std::vector<std::string>;
  std::vector<Texts> parts = {{std::string(100, 'a')}, {std::string(100, 'b')}};
  const char* first = parts[0][0].data();
  std::vector<void*> pointers = {parts.data(), &parts[1]};
  Texts copied;
  REQUIRE(Concatenate(kType<Texts>, &copied, pointers, /*move=*/false).ok());
  CHECK(copied[0].data() != first);
  CHECK(parts[0][0] == std::string(100, 'a'));
  Texts moved;
  REQUIRE(Concatenate(kType<Texts>, &moved, pointers, /*move=*/true).ok());
  CHECK(moved[0].data() == first);
  CHECK(moved == copied);
}

TEST_CASE("dynamic lists take the items of lists and tuples and the elements of tensors") {
  const std::vector<Value> parts = {Value::List{1}, Value::Tuple{{"two"}}, TensorOf<double>({3.5})};
  CHECK((*Joined<Value>(parts) == Value(Value::List{1, "two", 3.5})));
  CHECK(ReasonOf(Joined<Value>({Value(1)}).status()) == "not_iterable");
  CHECK(ReasonOf(Joined<Value>({Value("text")}).status()) == "not_flattenable");
  CHECK(ReasonOf(Joined<Value>({Value(Value::List{}), Value(2)}).status()) == "not_iterable");
}

TEST_CASE("dynamic lists take elements of every type that a Value has numbers for, and name what they refuse") {
  const std::vector<Value> numbers = {Value::List{}, TensorOf<int8_t>({-1}), TensorOf<Float16>({Float16(0.5F)}),
                                      TensorOf<uint64_t>({7}), TensorOf<bool>({true})};
  CHECK((*Joined<Value>(numbers) == Value(Value::List{-1, 0.5, 7, true})));
  for (const Tensor& tensor : {TensorOf<uint64_t>({~uint64_t{0}}), TensorOf<std::complex<float>>({{1, 2}})}) {
    const absl::Status refused = Joined<Value>({Value::List{}, tensor}).status();
    CHECK(ReasonOf(refused) == "not_flattenable");
    CHECK(absl::StartsWith(refused.message(), absl::StrCat("result 1 is a ", DTypeName(tensor.dtype()), " tensor")));
  }
}

}  // namespace
}  // namespace twinkle::codec
