#include <absl/strings/match.h>

#include <array>
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
Tensor OneOf(DType dtype) {  // of value 1
  switch (dtype) {
    case DType::kBool:
      return TensorOf<bool>({true});
    case DType::kUint8:
      return TensorOf<uint8_t>({1});
    case DType::kInt32:
      return TensorOf<int32_t>({1});
    case DType::kInt64:
      return TensorOf<int64_t>({1});
    case DType::kBFloat16:
      return TensorOf<BFloat16>({BFloat16(1)});
    case DType::kFloat32:
      return TensorOf<float>({1});
    case DType::kFloat64:
      break;
  }
  return TensorOf<double>({1});
}

TEST_CASE("element types are promoted so that no value changes, in either order") {
  using D = DType;
  constexpr D kB = D::kBool, kU = D::kUint8, kI = D::kInt32, kL = D::kInt64, kH = D::kBFloat16, kF = D::kFloat32,
              kD = D::kFloat64;
  constexpr D kPromoted[kDTypeCount][kDTypeCount] = {
      {kB, kU, kI, kL, kH, kF, kD},  // bool
      {kU, kU, kI, kL, kH, kF, kD},  // uint8
      {kI, kI, kI, kL, kD, kD, kD},  // int32
      {kL, kL, kL, kL, kD, kD, kD},  // int64
      {kH, kH, kD, kD, kH, kF, kD},  // bfloat16
      {kF, kF, kD, kD, kF, kF, kD},  // float32
      {kD, kD, kD, kD, kD, kD, kD},  // float64
  };
  for (int a = 0; a < kDTypeCount; ++a) {
    for (int b = 0; b < kDTypeCount; ++b) {
      const D left = static_cast<D>(a);
      const D right = static_cast<D>(b);
      INFO(DTypeName(left) << " and " << DTypeName(right));
      const absl::StatusOr<Tensor> joined = Joined({OneOf(left), OneOf(right)});
      REQUIRE(joined.ok());
      CHECK(joined->dtype() == kPromoted[a][b]);
      const Tensor one = OneOf(joined->dtype());
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

}  // namespace
}  // namespace twinkle::codec
