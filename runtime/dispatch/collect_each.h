// Collect::kSumEach and kMeanEach: element by element over the ranks.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/type.h>

#include <vector>

namespace twinkle::dispatch {

// Joins `results`, each a `result`, into `*out`, a default constructed `collected`: numbers, tensors, and lists,
// arrays, string-keyed dicts and structs of them, and Values; all results have one shape. A dict goes key by key over
// the results that have the key. A null result is an absent one.
//
// Integers add up to integers and are averaged to float64; the others keep their type, a tensor its dtype. Sums are
// made in the order of the results. InvalidArgument: not_numeric, not_a_dict, ragged (which names two results by their
// ranks, counted from 0 among those that ran the call), overflow (an integer that does not fit into its place).
absl::Status JoinEach(bool mean, const internal::Type& result, const std::vector<void*>& results,
                      const internal::Type& collected, void* out);

}  // namespace twinkle::dispatch
