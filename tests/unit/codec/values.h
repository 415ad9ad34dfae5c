// Values of every kind that can be sent, and how a test sends them.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/array.h>
#include <twinkle/bytes.h>
#include <twinkle/tensor.h>
#include <twinkle/value.h>

#include <array>
#include <cstdint>
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

#include "runtime/codec/codec.h"
#include "runtime/codec/dtype.h"
#include "tests/support/catch.h"

namespace twinkle::codec {

// A tensor of any dtype: numbers that each has and that differ.
template <class T>
Tensor OneTwo() {
  std::vector<T> elements = {Narrowed<T>(1.0), Narrowed<T>(2.0)};
  return *Tensor::FromVector<T>(std::move(elements));
}
inline Tensor OneTwo(DType dtype) {
  return WithElementType(dtype, []<class T>(std::type_identity<T>) { return OneTwo<T>(); });
}

enum class Mode : uint8_t { kTrain, kEval };
struct Empty {
  bool operator==(const Empty&) const = default;
};
struct Point {
  float x = 1;
  float y = 2;
  bool operator==(const Point&) const = default;
};
struct Node {  // holds itself
  std::string name;
  std::vector<Node> children;
  bool operator==(const Node&) const = default;
};
struct Everything {
  bool flag = true;
  int8_t small = -3;
  uint64_t large = ~uint64_t{0};
  double number = 0.5;
  Mode mode = Mode::kEval;
  std::string text;
  Point point;
  std::vector<Point> points;
  int raw[3] = {1, 2, 3};
  std::string raw_texts[2];
  float matrix[2][2] = {{1, 2}, {3, 4}};
  std::array<int, 3> fixed{};
  std::array<std::string, 2> names;
  std::pair<int, std::string> pair;
  std::tuple<int, float, std::string> tuple;
  std::optional<std::vector<int>> maybe;
  std::optional<std::optional<int>> twice;
  std::variant<std::monostate, int, std::string, std::vector<float>> one_of;
  std::map<std::string, std::vector<int>> map;
  std::unordered_map<std::string, Point> hash;
  std::map<int, std::string> by_number;
  std::set<std::string> set;
  std::unordered_set<int> numbers;
  std::vector<bool> bits;
  Empty empty;
  std::vector<Empty> empties;
  Bytes bytes;
  Array<int32_t> array;
  Array<std::string> words;
  Tensor tensor;
  std::vector<Tensor> tensors;
  Value value;
  std::vector<Value> values;
  Node tree;
  bool operator==(const Everything&) const = default;
};

template <class T>
Tensor TensorOf(std::vector<T> elements) {
  return *Tensor::FromVector<T>(std::move(elements));
}
template <class T>
Tensor TensorOf(std::vector<T> elements, std::vector<int64_t> shape) {
  return *Tensor::FromVector<T>(std::move(elements), std::move(shape));
}

inline Everything MakeEverything() {
  Everything e;
  e.text = std::string(5000, 'x');
  e.points = std::vector<Point>(600, Point{3, 4});
  e.raw_texts[1] = "raw";
  e.fixed = {4, 5, 6};
  e.names = {"a", "b"};
  e.pair = {5, "five"};
  e.tuple = {1, 2.5F, "t"};
  e.maybe = std::vector<int>{1, 2, 3};
  e.twice = std::optional<int>();
  e.one_of = std::vector<float>{1, 2};
  e.map = {{"a", {1}}, {"b", {2, 3}}};
  e.hash = {{"p", {7, 8}}, {"q", {}}};
  e.by_number = {{1, "x"}, {-2, "y"}};
  e.set = {"s", "t"};
  e.numbers = {3, 4, 5};
  e.bits = {true, false, true};
  e.empties.resize(3);
  e.bytes = Bytes("bytes");
  e.array = Array<int32_t>({9, 8, 7});
  e.words = Array<std::string>({"u", "v"});
  e.tensor = TensorOf<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  e.tensors = {TensorOf<int64_t>({1, 2}), TensorOf<bool>({true, false}), TensorOf<double>({7}, {})};
  Value::Dict dict;
  dict["list"] = Value::List{1, 2, 3};
  dict["tensor"] = TensorOf<uint8_t>({1, 2, 3, 4});
  dict["null"] = nullptr;
  dict["tuple"] = Value::Tuple{{1, "two"}};
  dict["dict"] = Value::Dict{{"inner", false}};
  e.value = std::move(dict);
  e.values = {1, 2.5, "x", true, Value()};
  e.tree = {"root", {{"a", {}}, {"b", {{"c", {}}}}}};
  return e;
}

// What a reader in another process gets.
template <class T>
absl::StatusOr<T> Sent(const T& value, size_t out_of_band = kOutOfBand) {
  absl::StatusOr<Encoded> encoded = Encode(Hold(value), nullptr, out_of_band);
  if (!encoded.ok()) return encoded.status();
  return DecodeAs<T>(encoded->head, encoded->buffers);
}

// It comes back the same, whatever of it goes out of band.
template <class T>
void CheckRoundTrip(const T& value) {
  for (const size_t out_of_band : {size_t{1}, size_t{16}, kOutOfBand, SIZE_MAX}) {
    const absl::StatusOr<T> sent = Sent(value, out_of_band);
    INFO(internal::kType<T>.name << ", out of band from " << out_of_band << " bytes on: " << sent.status());
    REQUIRE(sent.ok());
    CHECK((*sent == value));
  }
}

}  // namespace twinkle::codec
