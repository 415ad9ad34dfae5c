// Whether what a peer says of a value's rows can be what it says: everybody else trusts it.
#pragma once

#include <absl/status/status.h>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// More rows than any value has, and few enough for those of many values to be added.
inline constexpr int64_t kMostRows = int64_t{1} << 40;

// InvalidArgument, saying why, unless it is one tree as RowsOf gives: not empty, its counts of children add up, no
// deeper than values are decoded, and only lists and tensors have rows, at most kMostRows.
absl::Status CheckRows(const Rows& rows);

// The same for ranges of rows: each begins at 0 or later, ends no earlier than it begins, nor after kMostRows.
absl::Status CheckRanges(std::span<const Range> ranges);

}  // namespace twinkle::codec
