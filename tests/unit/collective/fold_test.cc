#include "runtime/collective/fold.h"

#include <twinkle/tensor.h>

#include <cmath>
#include <limits>
#include <vector>

#include "runtime/collective/steps.h"
#include "runtime/collective/tree.h"
#include "tests/support/catch.h"

namespace twinkle::collective {
namespace {

template <class T>
std::byte* Raw(std::vector<T>& values) {
  return reinterpret_cast<std::byte*>(values.data());
}

TEST_CASE("each dtype has the reductions that make sense of it") {
  const auto has = [](DType dtype) {
    std::vector<bool> all;
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kMean, ReduceOp::kMin, ReduceOp::kMax, ReduceOp::kProduct}) {
      const absl::Status status = CheckReduction(dtype, op);
      CHECK((status.ok() || absl::IsInvalidArgument(status)));
      all.push_back(status.ok());
    }
    return all;
  };
  using All = std::vector<bool>;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    INFO(DTypeName(dtype));
    const internal::DTypeKind kind = internal::FactsOf(dtype).kind;
    All expected = {true, true, true, true, true};
    if (kind == internal::DTypeKind::kBool) expected = {false, false, true, true, false};
    if (kind == internal::DTypeKind::kSigned || kind == internal::DTypeKind::kUnsigned) expected[1] = false;
    if (kind == internal::DTypeKind::kComplex) expected = {true, true, false, false, true};
    if (kind == internal::DTypeKind::kFloat && SizeOf(dtype) == 1) expected = All(5, false);
    CHECK(has(dtype) == expected);
  }
}

TEST_CASE("narrow floats are added as float32 and rounded once") {
  std::vector<BFloat16> large = {BFloat16(256.0F)};
  std::vector<BFloat16> small = {BFloat16(1.0F)};
  std::vector<float> sum(1);
  Begin(DType::kBFloat16, Raw(sum), Raw(large), 1);
  for (int i = 0; i < 2; ++i) Fold(DType::kBFloat16, ReduceOp::kSum, Raw(sum), Raw(small), 1);
  std::vector<BFloat16> result(1);
  Finish(DType::kBFloat16, ReduceOp::kSum, 3, Raw(result), Raw(sum), 1);
  CHECK(static_cast<float>(result[0]) == 258.0F);  // 256 + 1 alone is 256 in bfloat16
  Finish(DType::kBFloat16, ReduceOp::kMean, 3, Raw(result), Raw(sum), 1);
  CHECK(static_cast<float>(result[0]) == 86.0F);
}

TEST_CASE("where one is nan, so is the least and the greatest") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (ReduceOp op : {ReduceOp::kMin, ReduceOp::kMax}) {
    std::vector<float> first = {1, nan};
    std::vector<float> second = {nan, 1};
    Fold(DType::kFloat32, op, Raw(first), Raw(second), 2);
    CHECK(std::isnan(first[0]));
    CHECK(std::isnan(first[1]));
  }
}

TEST_CASE("integers wrap around, and the bytes of bools are 0 or 1") {
  std::vector<int16_t> a = {32767, 300};
  std::vector<int16_t> b = {1, 300};
  Fold(DType::kInt16, ReduceOp::kSum, Raw(a), Raw(b), 1);
  Fold(DType::kInt16, ReduceOp::kProduct, Raw(a) + 2, Raw(b) + 2, 1);
  CHECK(a == std::vector<int16_t>{-32768, static_cast<int16_t>(90000)});
  std::vector<uint8_t> strange = {7};
  std::vector<uint8_t> result(1);
  Begin(DType::kBool, Raw(result), Raw(strange), 1);
  CHECK(result[0] == 1);
}

TEST_CASE("ranks agree through the lowest of their machine") {
  const std::vector<uint64_t> machines = {5, 7, 5, 7, 0, 0};
  CHECK(PlaceInTree(machines, 0).parent == -1);
  CHECK(PlaceInTree(machines, 0).children == std::vector<int>{1, 2, 4, 5});
  CHECK(PlaceInTree(machines, 1).parent == 0);
  CHECK(PlaceInTree(machines, 1).children == std::vector<int>{3});
  CHECK(PlaceInTree(machines, 3).parent == 1);
  CHECK(PlaceInTree(machines, 4).children.empty());
}

TEST_CASE("whatever a tensor is divided into, ranks are folded in their order") {
  for (int64_t chunk : {1, 3, 100}) {
    const Work work{.operation = Operation::kAllReduce, .root = 0, .rows = {10, 10, 10}, .row_size = 1, .chunk = chunk};
    for (int rank = 0; rank < 3; ++rank) {
      int next = 0;
      for (const Step& step : StepsOf(work, rank)) {
        if (step.kind == Step::Kind::kBegin) next = 0;
        if (step.kind == Step::Kind::kBegin || step.kind == Step::Kind::kFold) CHECK(step.peer == next++);
        CHECK(step.count <= chunk);
      }
    }
  }
}

TEST_CASE("a rank sends and takes 2 (n - 1) / n of what it reduces") {
  const Work work{
      .operation = Operation::kAllReduce, .root = 0, .rows = std::vector<int64_t>(4, 1000), .row_size = 1, .chunk = 64};
  for (int rank = 0; rank < 4; ++rank) {
    int64_t sent = 0;
    int64_t taken = 0;
    for (const Step& step : StepsOf(work, rank)) {
      const bool sends = step.kind == Step::Kind::kSendInput || step.kind == Step::Kind::kSendOutput;
      const bool folds = step.kind == Step::Kind::kBegin || step.kind == Step::Kind::kFold;
      if (sends) sent += step.count;
      if (step.kind == Step::Kind::kTake || (folds && step.peer != rank)) taken += step.count;
    }
    CHECK(sent == 1500);
    CHECK(taken == 1500);
  }
}

}  // namespace
}  // namespace twinkle::collective
