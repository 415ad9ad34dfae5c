// What every communicator must do, whatever carries it, checked by the ranks themselves: each knows from the seed what
// all others have, works out in one loop what must come of it, and compares the bits. With public names only, so that
// it runs wherever ranks do. A test runs each check on all ranks at once and expects an empty answer of all:
//
//   for (const CommunicatorCheck& check : CommunicatorChecks()) { … check.run(communicator, seed) … }
#pragma once

#include <twinkle/communicator.h>

#include <algorithm>
#include <complex>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/communicator_reference.h"
#include "tests/support/random.h"

namespace twinkle::tests {

struct CommunicatorCheck {
  const char* name;
  // What is wrong; empty: nothing.
  std::string (*run)(Communicator communicator, uint64_t seed);
};

namespace checks {

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
