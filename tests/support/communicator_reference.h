// What must come of the operations of a communicator: what each rank has, from a seed, and one serial loop over all of
// them. With public names only.
#pragma once

#include <dlpack/dlpack.h>
#include <twinkle/communicator.h>

#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/random.h"

namespace twinkle::tests::checks {

template <class T>
inline constexpr bool kIsNarrow = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;
template <class T>
inline constexpr bool kIsComplexNumber =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
// Bools as bytes.
template <class T>
using Kept = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
constexpr bool HasReduction(ReduceOp op) {
  const bool ordered = op == ReduceOp::kMin || op == ReduceOp::kMax;
  if (std::is_same_v<T, bool>) return ordered;
  if (kIsComplexNumber<T>) return !ordered;
  return !std::is_integral_v<T> || op != ReduceOp::kMean;
}

// A rank's rows.
template <class T>
struct Input {
  int64_t rows = 0;
  int64_t columns = 1;
  std::vector<Kept<T>> elements;
};

template <class T>
Kept<T> RandomElement(Random& random) {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<uint8_t>(Below(random, 2));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(random());
  } else {
    const auto number = [&] { return static_cast<float>(Below(random, 4001) - 2000) / 512.0F; };
    if constexpr (kIsComplexNumber<T>) {
      const float real = number();
      return T(real, number());
    } else {
      return T(number());
    }
  }
}

template <class T>
Input<T> RandomInput(uint64_t seed, int rank, int64_t rows, int64_t columns) {
  Random random(seed * 1000003 + static_cast<uint64_t>(rank));
  Input<T> input{rows, columns, {}};
  for (int64_t i = 0; i < rows * columns; ++i) input.elements.push_back(RandomElement<T>(random));
  return input;
}

// The same elements, transposed in memory.
template <class T>
Tensor Strided(const Input<T>& input) {
  struct Held {
    std::vector<Kept<T>> elements;
    std::vector<int64_t> shape, strides;
    DLManagedTensor managed{};
  };
  auto* const held = new Held;
  held->shape = {input.rows, input.columns};
  held->strides = {1, input.rows};
  for (int64_t column = 0; column < input.columns; ++column) {
    for (int64_t row = 0; row < input.rows; ++row) {
      held->elements.push_back(input.elements[static_cast<size_t>(row * input.columns + column)]);
    }
  }
  const auto facts = internal::FactsOf(internal::DTypeFor<T>::kValue);
  held->managed.dl_tensor = {held->elements.data(),
                             {kDLCPU, 0},
                             2,
                             {static_cast<uint8_t>(facts.dlpack), static_cast<uint8_t>(facts.size * 8), 1},
                             held->shape.data(),
                             held->strides.data(),
                             0};
  held->managed.manager_ctx = held;
  held->managed.deleter = [](DLManagedTensor* managed) { delete static_cast<Held*>(managed->manager_ctx); };
  return Tensor::FromDLPack(&held->managed).value();
}

template <class T>
Tensor TensorFrom(const Input<T>& input, bool strided) {
  if (strided && input.rows > 1 && input.columns > 1) return Strided(input);
  auto kept = std::make_shared<std::vector<Kept<T>>>(input.elements);
  const auto* data = reinterpret_cast<const std::byte*>(kept->data());
  return Tensor::FromBuffer(internal::DTypeFor<T>::kValue, {input.rows, input.columns}, std::move(kept), data, false)
      .value();
}

// ((x0 + x1) + x2) + …
template <class T>
std::vector<Kept<T>> Reduced(const std::vector<Input<T>>& inputs, ReduceOp op) {
  using Wide = std::conditional_t<kIsNarrow<T>, float, Kept<T>>;
  const auto combine = [op](Wide a, Wide b) -> Wide {
    if constexpr (!kIsComplexNumber<T>) {
      if (op == ReduceOp::kMin) return std::min(a, b);
      if (op == ReduceOp::kMax) return std::max(a, b);
    }
    if constexpr (std::is_integral_v<Wide>) {
      const auto x = static_cast<uint64_t>(a);
      const auto y = static_cast<uint64_t>(b);
      return static_cast<Wide>(op == ReduceOp::kProduct ? x * y : x + y);
    } else {
      return op == ReduceOp::kProduct ? a * b : a + b;
    }
  };
  std::vector<Kept<T>> result;
  for (size_t i = 0; i < inputs.front().elements.size(); ++i) {
    auto sum = static_cast<Wide>(inputs.front().elements[i]);
    for (size_t rank = 1; rank < inputs.size(); ++rank) sum = combine(sum, static_cast<Wide>(inputs[rank].elements[i]));
    if constexpr (!std::is_integral_v<Wide>) {
      if (op == ReduceOp::kMean) sum = sum / static_cast<Wide>(static_cast<float>(inputs.size()));
    }
    result.push_back(static_cast<Kept<T>>(sum));
  }
  return result;
}

template <class T>
std::vector<Kept<T>> RowsOf(const std::vector<Kept<T>>& elements, int64_t columns, int64_t begin, int64_t end) {
  return {elements.begin() + begin * columns, elements.begin() + end * columns};
}
// Of `rows` dealt in order, the first shares the larger ones.
inline std::pair<int64_t, int64_t> ShareOf(int64_t rows, int ranks, int rank) {
  const auto start = [&](int64_t i) { return i * (rows / ranks) + std::min(i, rows % ranks); };
  return {start(rank), start(rank + 1)};
}

template <class T>
std::string Differs(const char* what, const Answer<Tensor>& result, const std::vector<Kept<T>>& expected,
                    const std::vector<int64_t>& shape) {
  const std::string name = std::string(what) + " of " + DTypeName(internal::DTypeFor<T>::kValue);
  if (!result.ok()) return name + ": " + result.status().ToString();
  if (result->shape() != shape) return name + ": another shape";
  const size_t bytes = expected.size() * sizeof(Kept<T>);
  if (static_cast<size_t>(result->bytes()) != bytes) return name + ": another size";
  if (bytes > 0 && std::memcmp(result->raw(), expected.data(), bytes) != 0) return name + ": other elements";
  return "";
}
inline Answer<Tensor> After(const absl::Status& status, const Tensor& tensor) {
  if (!status.ok()) return status;
  return tensor;
}

}  // namespace twinkle::tests::checks
