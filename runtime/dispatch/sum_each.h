// Sums and means of many numbers beside each other.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/dispatch/numbers.h"

namespace twinkle::dispatch {

// A run of numbers: their format, and how many there are.
struct NumberRun {
  NumberFormat format;
  size_t count = 0;
};

// Writes to `out`, as numbers of format `to`, the sum (mean) of the i-th numbers of all `parts`, each of which is such
// a run, for every i. They are added in the order of the parts, integers exactly, others as double, and rounded once:
// the result depends on nothing else. False: an integer does not fit into `to`.
bool SumEach(bool mean, NumberRun run, const std::vector<const void*>& parts, NumberFormat to, void* out);

}  // namespace twinkle::dispatch
