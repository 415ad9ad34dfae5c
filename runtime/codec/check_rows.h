// Checks of rows and ranges that a peer has sent. All other code trusts them.
#pragma once

#include <absl/status/status.h>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// The most rows of a list or tensor: more than any value has, and few enough that those of many values can be added.
inline constexpr int64_t kMostRows = int64_t{1} << 40;

// Checks that the rows are one tree, as RowsOf returns it: it is not empty, the counts of children add up, it is no
// deeper than values are decoded, and only lists and tensors have rows, at most kMostRows. InvalidArgument: it is not;
// the message says why.
absl::Status CheckRows(const Rows& rows);

// Checks that each range begins at 0 or later, ends no earlier than it begins, and does not end after kMostRows.
// InvalidArgument: one does not.
absl::Status CheckRanges(std::span<const Range> ranges);

}  // namespace twinkle::codec
