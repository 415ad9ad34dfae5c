#include "runtime/codec/dtype.h"

#include <algorithm>

namespace twinkle::codec {

// The enum's order is that of what its dtypes hold, but for wide integers and the floats that are narrower.
DType Promoted(DType a, DType b) {
  const DType low = std::min(a, b);
  const DType high = std::max(a, b);
  const bool wide_integer = low == DType::kInt32 || low == DType::kInt64;
  return wide_integer && IsFloating(high) ? DType::kFloat64 : high;
}

}  // namespace twinkle::codec
