// The rules of remote methods: on which ranks a call runs, how its arguments are split, and how its results are joined.
#pragma once

#include <cstdint>

namespace twinkle {

// The ranks on which an object is constructed (as an option of a class), or a method runs (as an option of a method).
enum class Execute : uint8_t {
  kAll,
  kFirst,  // rank 0 only; arguments go whole, and no mesh is needed
  kPeer,   // the caller's share of the ranks; for calls of the program, all ranks
};

// How arguments are split over the ranks. These have rows: lists (std::vector, Array), Tensors, and structs,
// string-keyed maps, optionals and variants that hold any of them. A method with such a parameter must name its
// dispatch, or does not compile. A struct with `static constexpr bool kTwinkleWhole = true;` has no rows, and always
// goes whole. The contents of a Value are known only when the program runs: without a dispatch it goes whole.
enum class Dispatch : uint8_t {
  kSlice,    // splits each list evenly by rank; everything else goes to all, and must have no rows
  kAll,      // everything goes to all
  kSliceDp,  // splits lists and tensors, also in structs and dicts, by the rank's data rank in the mesh
};

// How the ranks' results are joined.
enum class Collect : uint8_t {
  kNone,     // the list of results
  kFlatten,  // the items of all results in rank order, one level; tensors of several dtypes are promoted as in NumPy
  kMean,     // one number: the mean of all elements of all results; nan without elements
  kSum,      // one number: the sum of all elements of all results; 0 without elements
  kFirst,    // the result of rank 0
  kLastPp,   // the list of the results of the last pipeline stage
  kLastPpFirst,  // the first result of the last pipeline stage
  kFlattenDp,    // the inverse of kSliceDp: one result for each data rank, flattened
  kMeanEach,     // the mean element by element, added in rank order; all results have one shape
  kSumEach,      // the sum element by element, likewise
};

}  // namespace twinkle
