// What holds the elements of tensors of two dtypes.
#pragma once

#include <twinkle/tensor.h>

namespace twinkle::codec {

inline bool IsFloating(DType dtype) { return dtype >= DType::kBFloat16; }

// The smallest dtype that holds what both hold, as NumPy's promote_types() says; NumPy has no bfloat16, which mixes as
// float32 does, but holds a uint8.
DType Promoted(DType a, DType b);

}  // namespace twinkle::codec
