// The algebra of boxes: n-dimensional ranges of indices. Pure functions; boxes that meet have as many dimensions.
#pragma once

#include <twinkle/tensor_shard.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/codec/packed_strides.h"

namespace twinkle::weights {

// The whole tensor of that shape.
Box Whole(const std::vector<int64_t>& shape);
// Its size along each dimension.
std::vector<int64_t> ExtentsOf(const Box& box);
// How many indices are in it; 1 for a scalar's.
int64_t Volume(const Box& box);
bool Contains(const Box& outer, const Box& inner);

// What is in both. Without volume when there is nothing.
Box Intersect(const Box& a, const Box& b);
// What of `whole` is not in `part`, in at most two boxes for each dimension, appended to `rest`.
void Subtract(const Box& whole, const Box& part, std::vector<Box>* rest);
// The same for each of `boxes`, which are disjoint; so is what is left.
std::vector<Box> Without(const std::vector<Box>& boxes, const Box& part);

// Where a box begins that lies at `part` within `outer`.
Box Within(const Box& outer, const Box& part);

using codec::PackedStrides;

// "[0:128, 64:96]", for messages.
std::string BoxText(const Box& box);

}  // namespace twinkle::weights
