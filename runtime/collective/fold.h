// The arithmetic of reductions. Where is it decided which dtype has which reduction, and in what it is computed: here.
#pragma once

#include <absl/status/status.h>
#include <twinkle/communicator.h>
#include <twinkle/dtype.h>

#include <cstddef>
#include <cstdint>

namespace twinkle::collective {

// InvalidArgument: elements of that dtype have no such reduction.
absl::Status CheckReduction(DType dtype, ReduceOp op);

// In what it is computed, and what partial results travel as: float32 for bfloat16 and float16, else the dtype itself.
DType AccumulatorOf(DType dtype);

// A reduction is Begin with rank 0's elements, Fold with those of rank 1, 2, … in this order, Finish. Each does `count`
// elements; none depends on another, so that any division of a tensor gives the same bits. REQUIRES, of all:
// CheckReduction is OK; memory is aligned as the dtypes want it; accumulator and elements do not overlap.

// accumulator = elements
void Begin(DType dtype, std::byte* accumulator, const std::byte* elements, size_t count);
// accumulator = accumulator op elements
void Fold(DType dtype, ReduceOp op, std::byte* accumulator, const std::byte* elements, size_t count);
// result = what the accumulator is of, rounded; a mean is divided by the number of ranks. `result` may be `accumulator`
// where both have one dtype.
void Finish(DType dtype, ReduceOp op, int ranks, std::byte* result, const std::byte* accumulator, size_t count);

}  // namespace twinkle::collective
