// Who gives which part of a box that is needed: pure geometry, without names, dtypes and memory.
#pragma once

#include <twinkle/tensor_shard.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twinkle::weights {

// Somebody who has a part of the tensor. Lower `turn`s are asked first.
struct Holder {
  Box box;
  int turn = 0;
};

// A part that is read once, from any of these, which all have it.
struct Cut {
  Box box;
  std::vector<size_t> holders;  // at least one; of the same turn, in their order
};

struct Cover {
  std::vector<Cut> cuts;  // disjoint
  std::vector<Box> open;  // what nobody has
};

// Each index of `need` is in exactly one cut, or open. What a holder of an earlier turn has is never read of a later
// one; within a turn those who have most of it are asked first. Cuts of more than `most` indices that several have are
// dealt to them along their first dimension.
Cover CoverOf(const Box& need, const std::vector<Holder>& holders, int64_t most);

}  // namespace twinkle::weights
