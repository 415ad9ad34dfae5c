// Collect: results joined by their rule (collect_rules.h). Pure functions; typed values and the dynamic Value go
// through the same code.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/device_mesh.h>
#include <twinkle/rules.h>

#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

// Joins the results of the used workers, `results` (each of type `result`, at least one), into
// `*out`, a default constructed value of type `collected`. With `move` the results may be moved
// out. Types: see the table of collected types (client/include/twinkle/internal/collected.h); for
// `result` of kind kValue `collected` is kValue too and the dynamic rules hold: kNone and kLastPp
// give a list (kNone of one result gives that result), a tuple gives the list of its collected
// elements. Padding is used by kFlatten and kFlattenDp. Results are counted from 0 in messages.
// InvalidArgument: not_iterable, not_flattenable, key_mismatch, not_numeric, ragged, overflow,
// not_a_dict, not_a_tuple, tuple_length_mismatch. FailedPrecondition: a result that cannot be
// copied and may not be moved. Internal: `collected` is not what the table says.
absl::Status JoinResults(Collect rule, const codec::Padding& padding, const internal::Type& result,
                         const std::vector<void*>& results, bool move, const internal::Type& collected, void* out);

// Joins every worker's result, used or not, by the dynamic rules: UsedWorkers and JoinResults. Whether results are
// tuples is decided by the first worker's, which a rule like kLastPp does not use. Without results gives an empty list.
absl::StatusOr<Value> CollectValues(Collect rule, const codec::Padding& padding, std::vector<Value> results,
                                    const DeviceMesh* mesh, bool local = false);

}  // namespace twinkle::dispatch
