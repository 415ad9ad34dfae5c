#include "runtime/dispatch/reduce.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <dlpack/dlpack.h>

#include <array>
#include <cmath>
#include <complex>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "runtime/base/status.h"
#include "tests/support/catch.h"

namespace twinkle::dispatch {
namespace {

using base::ReasonOf;
using internal::kType;

constexpr int64_t kMostInteger = std::numeric_limits<int64_t>::max();
constexpr bool kMean = true;
constexpr bool kSum = false;

template <class T>
absl::StatusOr<Reduced> ReduceAll(bool mean, std::deque<T> parts) {
  std::vector<void*> pointers;
  for (T& part : parts) pointers.push_back(&part);
  return Reduce(mean, kType<T>, pointers);
}
template <class T>
Reduced Must(bool mean, std::deque<T> parts) {
  const absl::StatusOr<Reduced> reduced = ReduceAll<T>(mean, std::move(parts));
  INFO(reduced.status());
  REQUIRE(reduced.ok());
  return *reduced;
}
template <class T>
std::string Refusal(bool mean, std::deque<T> parts) {
  return ReasonOf(ReduceAll<T>(mean, std::move(parts)).status());
}

template <class T>
Tensor TensorOf(std::vector<T> elements) {
  return *Tensor::FromVector<T>(std::move(elements));
}
Tensor BFloats(std::vector<float> elements) {
  std::vector<BFloat16> rounded;
  for (float element : elements) rounded.emplace_back(element);
  return TensorOf(std::move(rounded));
}

void CheckInteger(const Reduced& reduced, int64_t number, absl::string_view type = "int64") {
  CHECK(reduced.integer);
  CHECK(reduced.as_integer == number);
  CHECK(reduced.type == type);
}
void CheckFloat(const Reduced& reduced, double number, absl::string_view type = "float64") {
  CHECK_FALSE(reduced.integer);
  CHECK(reduced.as_float == number);
  CHECK(reduced.type == type);
}

TEST_CASE("numbers of every type are summed as int64 or float64") {
  CheckInteger(Must<int8_t>(kSum, {-5, 3}), -2);
  CheckInteger(Must<uint16_t>(kSum, {65535, 1}), 65536);
  CheckInteger(Must<int>(kSum, {1, 2, 4}), 7);
  CheckInteger(Must<long long>(kSum, {1, 2}), 3);
  CheckInteger(Must<uint64_t>(kSum, {1, 2}), 3);
  CheckInteger(Must<bool>(kSum, {true, false, true}), 2);
  CheckFloat(Must<float>(kSum, {0.5F, 0.25F}), 0.75);
  CheckFloat(Must<double>(kSum, {0.5, 0.25, 1.5}), 2.25);
  CheckFloat(Must<long double>(kSum, {0.5L, 0.25L}), 0.75);
}

TEST_CASE("means are float64 for all plain numbers") {
  CheckFloat(Must<int>(kMean, {1, 2, 6}), 3);
  CheckFloat(Must<bool>(kMean, {true, false}), 0.5);
  CheckFloat(Must<float>(kMean, {0.5F, 0.25F}), 0.375);
  CheckFloat(Must<Value>(kMean, {1, 2.5}), 1.75);
  CheckFloat(Must<int64_t>(kMean, {kMostInteger, kMostInteger}), static_cast<double>(kMostInteger));
}

TEST_CASE("tensors keep their type, and small integers are widened") {
  CheckInteger(Must<Tensor>(kSum, {TensorOf<uint8_t>({200}), TensorOf<uint8_t>({100})}), 300, "uint64");
  CheckInteger(Must<Tensor>(kSum, {TensorOf<bool>({true, true})}), 2);
  CheckInteger(Must<Tensor>(kSum, {TensorOf<int32_t>({1, 2}), TensorOf<uint8_t>({3, 4})}), 10);
  CheckFloat(Must<Tensor>(kMean, {TensorOf<int64_t>({2, 3})}), 2.5);
  CheckFloat(Must<Tensor>(kMean, {TensorOf<float>({1, 2})}), 1.5, "float32");
  CheckFloat(Must<Tensor>(kSum, {BFloats({1, 2}), BFloats({0.5F, 4})}), 7.5, "bfloat16");
  CheckFloat(Must<Tensor>(kSum, {BFloats({1}), TensorOf<float>({2})}), 3, "float32");
  CheckFloat(Must<Tensor>(kSum, {TensorOf<float>({1}), TensorOf<uint8_t>({2})}), 3, "float32");
  CheckFloat(Must<Tensor>(kSum, {TensorOf<float>({1}), TensorOf<int32_t>({2})}), 3);
  CheckFloat(Must<Tensor>(kSum, {TensorOf<float>({0.1F})}), static_cast<double>(0.1F), "float32");
}

TEST_CASE("tensors of every size of number are reduced as NumPy reduces them") {
  CheckInteger(Must<Tensor>(kSum, {TensorOf<int8_t>({-128, -128})}), -256);
  CheckInteger(Must<Tensor>(kSum, {TensorOf<int16_t>({-32768}), TensorOf<uint16_t>({65535})}), 32767);
  CheckInteger(Must<Tensor>(kSum, {TensorOf<uint32_t>({4294967295, 1})}), int64_t{1} << 32, "uint64");
  CheckInteger(Must<Tensor>(kSum, {TensorOf<uint64_t>({5})}), 5, "uint64");
  CheckFloat(Must<Tensor>(kMean, {TensorOf<uint64_t>({1, 2})}), 1.5);
  CheckFloat(Must<Tensor>(kSum, {TensorOf<Float16>({Float16(2048), Float16(1)})}), 2048, "float16");
  CheckFloat(Must<Tensor>(kSum, {TensorOf<Float16>({Float16(1)}), BFloats({1})}), 2, "float32");
}

TEST_CASE("floats of 8 bits are reduced to a float32") {
  const Tensor numbers = TensorOf<Float8E4M3Fn>({Float8E4M3Fn(448), Float8E4M3Fn(448), Float8E4M3Fn(0.125F)});
  CheckFloat(Must<Tensor>(kSum, {numbers}), 896.125, "float32");
  CheckFloat(Must<Tensor>(kMean, {TensorOf<Float8E5M2>({Float8E5M2(1), Float8E5M2(2)})}), 1.5, "float32");
  CheckFloat(Must<Tensor>(kSum, {numbers, TensorOf<double>({1, 2, 3})}), 902.125);
}

TEST_CASE("complex numbers are not reduced, and the text says so") {
  const Tensor complex = TensorOf<std::complex<float>>({{1, 2}});
  for (const Tensor& tensor : {complex, TensorOf<std::complex<double>>({})}) {
    const absl::Status refused = ReduceAll<Tensor>(kMean, {TensorOf<float>({1}), tensor}).status();
    CHECK(ReasonOf(refused) == "not_numeric");
    CHECK(absl::StartsWith(refused.message(),
                           absl::StrCat("result 1 is a ", DTypeName(tensor.dtype()), " tensor of shape {")));
    CHECK(absl::StrContains(refused.message(), "}: complex numbers cannot be averaged"));
  }
  CHECK(Refusal<Value>(kSum, {Value(Value::List{complex})}) == "not_numeric");
}

TEST_CASE("a tensor with strides is summed over its own elements only") {
  int32_t memory[] = {1, 100, 2, 100, 3, 100};
  int64_t shape[] = {3};
  int64_t strides[] = {2};
  DLManagedTensor managed{};
  managed.dl_tensor = {memory, {kDLCPU, 0}, 1, {kDLInt, 32, 1}, shape, strides, 0};
  CheckInteger(Must<Tensor>(kSum, {*Tensor::FromDLPack(&managed)}), 6);
  CheckInteger(Must<Tensor>(kSum, {TensorOf<int64_t>({1, 2, 4, 8}).Rows(1, 3)}), 6);
}

TEST_CASE("lists of every kind, nested, are numbers to reduce over") {
  CheckInteger(Must<std::vector<int>>(kSum, {{1, 2}, {3, 4}}), 10);
  CheckInteger(Must<std::vector<bool>>(kSum, {{true, false}, {true, true}}), 3);
  CheckInteger(Must<std::array<int, 2>>(kSum, {{1, 2}, {3, 4}}), 10);
  CheckInteger(Must<std::vector<std::array<bool, 2>>>(kSum, {{{true, true}}}), 2);
  CheckInteger(Must<Array<int>>(kSum, {Array<int>({1, 2})}), 3);
  CheckFloat(Must<std::vector<std::vector<double>>>(kMean, {{{1}, {2}}, {{3}, {8}}}), 3.5);
  CheckFloat(Must<std::pair<int, double>>(kSum, {{1, 0.5}}), 1.5);
  CheckInteger(Must<std::vector<Tensor>>(kSum, {{TensorOf<int64_t>({1, 2})}}), 3);
  CheckInteger(Must<Value>(kSum, {Value::List{1, Value(true)}, TensorOf<int64_t>({3, 4})}), 9);
  CheckFloat(Must<Value>(kSum, {Value::Tuple{{1, 2}}, Value::List{3, 0.5}}), 6.5);
}

TEST_CASE("optionals and variants are what they hold") {
  CheckInteger(Must<std::optional<int>>(kSum, {1, 2}), 3);
  CHECK(Refusal<std::optional<int>>(kSum, {1, std::nullopt}) == "not_numeric");
  using Either = std::variant<std::string, double>;
  CheckFloat(Must<Either>(kSum, {Either(0.5), Either(1.0)}), 1.5);
  CHECK(Refusal<Either>(kSum, {Either(0.5), Either("x")}) == "not_numeric");
}

TEST_CASE("nothing has the sum 0.0 and the mean nan") {
  CheckFloat(Must<std::vector<int>>(kSum, {{}, {}}), 0);
  CheckFloat(Must<Tensor>(kSum, {TensorOf<float>({})}), 0, "float32");
  const Reduced mean = Must<Value>(kMean, {Value(Value::List()), Value(Value::List())});
  CHECK_FALSE(mean.integer);
  CHECK(std::isnan(mean.as_float));
  CHECK(std::isnan(Must<std::vector<std::vector<float>>>(kMean, {{{}, {}}}).as_float));
}

TEST_CASE("infinity and nan are numbers like any other") {
  const double infinity = std::numeric_limits<double>::infinity();
  CheckFloat(Must<double>(kMean, {1, infinity}), infinity);
  CHECK(std::isnan(Must<double>(kSum, {1, std::nan("")}).as_float));
  CHECK(std::isnan(Must<double>(kSum, {infinity, -infinity}).as_float));
}

TEST_CASE("an integer sum is exact, or an overflow") {
  CheckInteger(Must<int64_t>(kSum, {kMostInteger, 1, -1}), kMostInteger);
  CHECK(Refusal<int64_t>(kSum, {kMostInteger, 1}) == "overflow");
  CHECK(Refusal<int64_t>(kSum, {-kMostInteger, -2}) == "overflow");
  CHECK(Refusal<uint64_t>(kSum, {std::numeric_limits<uint64_t>::max()}) == "overflow");
  CHECK(Refusal<Tensor>(kSum, {TensorOf<uint64_t>({std::numeric_limits<uint64_t>::max()})}) == "overflow");
  CHECK(Refusal<Tensor>(kSum, {TensorOf<int64_t>({kMostInteger, kMostInteger})}) == "overflow");
}

TEST_CASE("shapes must agree, within a result and between results") {
  CHECK(Refusal<std::vector<int>>(kSum, {{1}, {2, 3}}) == "ragged");
  CHECK(Refusal<std::vector<std::vector<int>>>(kMean, {{{1}, {2, 3}}}) == "ragged");
  CHECK(Refusal<std::vector<std::vector<int>>>(kMean, {{}, {{}}}) == "ragged");
  CHECK(Refusal<Value>(kMean, {1, Value(Value::List{1})}) == "ragged");
  CHECK(Refusal<Value>(kMean, {Value::List{Value(Value::List{1}), 2}}) == "ragged");
  CHECK(Refusal<Value>(kMean, {Value::List{1, Value(Value::List{2})}}) == "ragged");
  CHECK(Refusal<Tensor>(kSum, {*Tensor::Zeros(DType::kInt32, {1, 2}), *Tensor::Zeros(DType::kInt32, {2})}) == "ragged");
  CheckInteger(Must<Value>(kSum, {3, *Tensor::Zeros(DType::kInt64, {})}), 3);
}

TEST_CASE("what is no number comes before what is ragged, and is named") {
  CHECK(Refusal<Value>(kMean, {Value::List{1}, Value::List{1, 2}, "a"}) == "not_numeric");
  CHECK(Refusal<Value>(kSum, {Value()}) == "not_numeric");
  CHECK(Refusal<Value>(kSum, {1, Value(Value::Dict{{"a", 1}})}) == "not_numeric");
  CHECK(Refusal<std::vector<std::string>>(kSum, {{"a"}}) == "not_numeric");
  const auto refused = ReduceAll<Value>(kMean, {1, Value::List{2, "a"}}).status();
  CHECK(absl::StrContains(refused.message(), "an element of result 1 is a string"));
}

TEST_CASE("absent parts are skipped, but counted in messages") {
  int number = 4;
  std::string text = "a";
  CheckFloat(*Reduce(kMean, kType<int>, {nullptr, &number}), 4);
  const auto refused = Reduce(kSum, kType<std::string>, {nullptr, nullptr, &text}).status();
  CHECK(absl::StrContains(refused.message(), "result 2 is"));
}

}  // namespace
}  // namespace twinkle::dispatch
