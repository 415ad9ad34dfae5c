// What every communicator must do, whatever carries it, checked by the ranks themselves: each knows from the seed what
// all others have, works out in one loop what must come of it, and compares the bits. With public names only, so that
// it runs wherever ranks do. A test runs each check on all ranks at once and expects an empty answer of all:
//
//   for (const CommunicatorCheck& check : CommunicatorChecks()) { … check.run(communicator, seed) … }
#pragma once

#include <dlpack/dlpack.h>
#include <twinkle/communicator.h>

#include <algorithm>
#include <complex>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/random.h"

namespace twinkle::tests {

struct CommunicatorCheck {
  const char* name;
  // What is wrong; empty: nothing.
  std::string (*run)(Communicator communicator, uint64_t seed);
};

namespace checks {

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

// One operation of each kind on tensors of these sizes.
template <class T>
class Trial {
 public:
  Trial(Communicator communicator, uint64_t seed, int64_t rows, int64_t columns, bool strided)
      : communicator_(std::move(communicator)), seed_(seed), strided_(strided) {
    for (int rank = 0; rank < size(); ++rank) inputs_.push_back(RandomInput<T>(seed, rank, rows, columns));
  }

  std::string Run() {
    for (int kind = 0; kind < 8; ++kind) {
      if (std::string wrong = One(kind); !wrong.empty()) {
        return wrong + " in " + std::to_string(mine().rows) + " rows of " + std::to_string(mine().columns);
      }
    }
    return "";
  }

 private:
  int size() const { return communicator_.size(); }
  int rank() const { return communicator_.rank(); }
  const Input<T>& mine() const { return inputs_[static_cast<size_t>(rank())]; }
  Tensor MineAsTensor() const { return TensorFrom(mine(), strided_); }
  std::vector<int64_t> ShapeWith(int64_t rows) const { return {rows, mine().columns}; }
  int Root() const { return static_cast<int>(seed_ % static_cast<uint64_t>(size())); }

  std::string One(int kind) {
    switch (kind) {
      case 0:
        return EachReduction([&](ReduceOp op) { return AllReduce(op); });
      case 1:
        return EachReduction([&](ReduceOp op) { return Reduce(op); });
      case 2:
        return EachReduction([&](ReduceOp op) { return ReduceScatter(op); });
      case 3:
        return Broadcast();
      case 4:
        return AllGather();
      case 5:
        return AllToAll();
      case 6:
        return Around();
      default:
        return communicator_.Barrier().ok() ? "" : "Barrier";
    }
  }
  std::string EachReduction(const std::function<std::string(ReduceOp)>& f) {
    std::string wrong;
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kMean, ReduceOp::kMin, ReduceOp::kMax, ReduceOp::kProduct}) {
      if (HasReduction<T>(op) && wrong.empty()) wrong = f(op);
    }
    return wrong;
  }

  std::string AllReduce(ReduceOp op) {
    Tensor tensor = MineAsTensor();
    const absl::Status status = communicator_.AllReduce(&tensor, op);
    return Differs<T>("AllReduce", After(status, tensor), Reduced(inputs_, op), ShapeWith(mine().rows));
  }
  std::string Reduce(ReduceOp op) {
    Tensor tensor = MineAsTensor();
    const absl::Status status = communicator_.Reduce(&tensor, Root(), op);
    return Differs<T>("Reduce", After(status, tensor), rank() == Root() ? Reduced(inputs_, op) : mine().elements,
                      ShapeWith(mine().rows));
  }
  std::string ReduceScatter(ReduceOp op) {
    const auto [begin, end] = ShareOf(mine().rows, size(), rank());
    return Differs<T>("ReduceScatter", communicator_.ReduceScatter(MineAsTensor(), op),
                      RowsOf<T>(Reduced(inputs_, op), mine().columns, begin, end), ShapeWith(end - begin));
  }
  std::string Broadcast() {
    Tensor tensor = MineAsTensor();
    const absl::Status status = communicator_.Broadcast(&tensor, Root());
    return Differs<T>("Broadcast", After(status, tensor), inputs_[static_cast<size_t>(Root())].elements,
                      ShapeWith(mine().rows));
  }
  // Each a row less than the one before it, as long as there are any.
  std::string AllGather() {
    std::vector<Kept<T>> expected;
    Input<T> given;
    for (int rank = 0; rank < size(); ++rank) {
      const Input<T>& input = inputs_[static_cast<size_t>(rank)];
      const int64_t rows = std::max<int64_t>(input.rows - rank, 0);
      const std::vector<Kept<T>> elements = RowsOf<T>(input.elements, input.columns, 0, rows);
      if (rank == this->rank()) given = {rows, input.columns, elements};
      expected.insert(expected.end(), elements.begin(), elements.end());
    }
    const auto rows = static_cast<int64_t>(expected.size()) / mine().columns;
    return Differs<T>("AllGather", communicator_.AllGather(TensorFrom(given, strided_)), expected, ShapeWith(rows));
  }
  std::string AllToAll() {
    const auto [begin, end] = ShareOf(mine().rows, size(), rank());
    std::vector<Kept<T>> expected;
    for (const Input<T>& input : inputs_) {
      const std::vector<Kept<T>> rows = RowsOf<T>(input.elements, input.columns, begin, end);
      expected.insert(expected.end(), rows.begin(), rows.end());
    }
    return Differs<T>("AllToAll", communicator_.AllToAll(MineAsTensor()), expected, ShapeWith((end - begin) * size()));
  }
  // All send to the next at once, and reduce meanwhile.
  std::string Around() {
    if (size() == 1) return "";
    const int next = (rank() + 1) % size();
    const int before = (rank() + size() - 1) % size();
    std::vector<PendingTensor> batch;
    batch.push_back(communicator_.SendAsync(MineAsTensor(), next));
    batch.push_back(communicator_.RecvAsync(MineAsTensor(), before));
    batch.push_back(communicator_.BroadcastAsync(MineAsTensor(), Root()));
    Answer<std::vector<Tensor>> results = Communicator::WaitAll(std::move(batch));
    if (!results.ok()) return results.status().ToString();
    const std::vector<int64_t> shape = ShapeWith(mine().rows);
    std::string wrong = Differs<T>("Recv", (*results)[1], inputs_[static_cast<size_t>(before)].elements, shape);
    if (!wrong.empty()) return wrong;
    return Differs<T>("Broadcast", (*results)[2], inputs_[static_cast<size_t>(Root())].elements, shape);
  }

  Communicator communicator_;
  const uint64_t seed_;
  const bool strided_;
  std::vector<Input<T>> inputs_;
};

// Of some size, which the seed says.
template <class T>
std::string AnySize(Communicator communicator, uint64_t seed) {
  Random random(seed);
  const int64_t rows[] = {0, 1, 2 + Below(random, 20), 601};
  const int64_t columns[] = {1, 2 + Below(random, 5)};
  std::string wrong;
  for (int trial = 0; trial < 2 && wrong.empty(); ++trial) {
    const int64_t of = rows[Below(random, 4)];
    wrong = Trial<T>(communicator, random(), of, columns[Below(random, 2)], OneIn(random, 3)).Run();
  }
  return wrong;
}

template <class... T>
std::string AnyOf(Communicator communicator, uint64_t seed) {
  std::string wrong;
  static_cast<void>(((wrong = AnySize<T>(communicator, seed)).empty() && ...));
  return wrong;
}
inline std::string Scalars(Communicator communicator, uint64_t) {
  const int ranks = communicator.size();
  Tensor one = Tensor::FromVector<int64_t>({communicator.rank() + 1}, {}).value();
  if (absl::Status status = communicator.AllReduce(&one); !status.ok()) return status.ToString();
  if (!one.shape().empty() || (*one.data<int64_t>())[0] != ranks * (ranks + 1) / 2) return "a scalar's sum";
  Answer<Tensor> all = communicator.AllGather(Tensor::FromVector<int64_t>({communicator.rank()}, {}).value());
  if (!all.ok()) return all.status().ToString();
  return all->shape() == std::vector<int64_t>{ranks} ? "" : "scalars do not become rows";
}
// Longer than any piece, on all ranks; the result is written to, and what was given is not.
inline std::string Large(Communicator communicator, uint64_t) {
  constexpr int64_t kCount = 700'001;
  Tensor tensor = Tensor::Empty(DType::kFloat32, {kCount}).value();
  for (float& element : *tensor.mutable_data<float>()) element = static_cast<float>(communicator.rank() + 1);
  const Tensor given = tensor;
  for (int round = 0; round < 3; ++round) {
    if (absl::Status status = communicator.AllReduce(&tensor, ReduceOp::kMean); !status.ok()) return status.ToString();
    const float expected = round == 0 ? static_cast<float>(communicator.size() + 1) / 2 : 2.5F;
    for (float element : *tensor.data<float>()) {
      if (element != expected) return "an element of the mean";
    }
    for (float& element : *tensor.mutable_data<float>()) element = 2.5F;
  }
  return (*given.data<float>())[kCount - 1] == static_cast<float>(communicator.rank() + 1) ? "" : "it was written";
}
inline std::string RefusesWrongUse(Communicator communicator, uint64_t) {
  Tensor whole = Tensor::FromVector<int32_t>({1, 2}).value();
  const auto refused = [](const absl::Status& status) { return absl::IsInvalidArgument(status); };
  if (!refused(communicator.AllReduce(&whole, ReduceOp::kMean))) return "the mean of integers";
  if (!refused(communicator.Broadcast(&whole, communicator.size()))) return "a root that there is not";
  if (!refused(communicator.Send(whole, communicator.rank()))) return "a Send to itself";
  return communicator.Barrier().ok() ? "" : "what was refused has been issued";
}

}  // namespace checks

inline const std::vector<CommunicatorCheck>& CommunicatorChecks() {
  static const std::vector<CommunicatorCheck> all = {
      {"floats", checks::AnyOf<float, double>},
      {"narrow floats", checks::AnyOf<BFloat16, Float16>},
      {"signed integers", checks::AnyOf<int8_t, int16_t, int32_t, int64_t>},
      {"unsigned integers", checks::AnyOf<uint8_t, uint16_t, uint32_t, uint64_t>},
      {"bools and complex numbers", checks::AnyOf<bool, std::complex<float>, std::complex<double>>},
      {"scalars", checks::Scalars},
      {"large tensors, again and again", checks::Large},
      {"what makes no sense is refused, and nobody waits", checks::RefusesWrongUse},
  };
  return all;
}

}  // namespace twinkle::tests
