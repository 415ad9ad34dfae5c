// Copying the elements that a move names, between memories of this process.
#pragma once

#include <twinkle/dtype.h>

#include <cstddef>

#include "runtime/weights/move.h"

namespace twinkle::weights {

// Whether elements of `from` may be written as `to`: they are the same, or float32 is rounded to bfloat16.
bool CanCast(DType from, DType to);

// Copies the elements, from and to an entry's first one: runs that are contiguous on both sides at once, transposed
// ones by tiles. REQUIRES: from_type == to_type or CanCast; both memories have all elements that the move names, and do
// not share any.
void Copy(const Move& move, DType from_type, const std::byte* from, DType to_type, std::byte* to);

}  // namespace twinkle::weights
