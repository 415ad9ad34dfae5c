// The rules of remote methods: where a call runs, how its arguments are split, how its results are joined.
#pragma once

#include <cstdint>

namespace twinkle {

// On which ranks an object is constructed (of a class), or a method runs (of a method).
enum class Execute : uint8_t {
  kAll,
  kFirst,  // rank 0 alone; arguments go whole and no mesh is looked at
  kPeer,   // the caller's share of the ranks: from the program all of them
};

// How arguments are split over the ranks. What has rows is a list (std::vector, Array), a Tensor, and a struct,
// string-keyed map, optional or variant that holds any: a method with such a parameter names its dispatch, or does not
// compile. A struct with `static constexpr bool kTwinkleWhole = true;` has none and goes whole everywhere. What a Value
// holds is known only when the program runs: without a dispatch it goes whole.
enum class Dispatch : uint8_t {
  kSlice,    // each list evenly by rank, everything else to all; no parameter may have rows without being a list
  kAll,      // everything goes to all
  kSliceDp,  // lists, tensors, and those in structs and dicts, by the rank's data-parallel index in the mesh
};

// How the ranks' results are joined.
enum class Collect : uint8_t {
  kNone,         // the list of results
  kFlatten,      // their items, one level, in rank order; tensors of several dtypes are promoted as NumPy does
  kMean,         // one number: over all elements of all results; of nothing nan
  kSum,          // likewise; of nothing 0
  kFirst,        // rank 0's
  kLastPp,       // the list of the last pipeline stage's
  kLastPpFirst,  // the first of those
  kFlattenDp,    // the inverse of kSliceDp: one result of each data rank, flattened
  kMeanEach,     // element by element, added in rank order: all results have one shape
  kSumEach,      // likewise
};

}  // namespace twinkle
