// Collect::kFlatten for the dynamic Value.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <twinkle/value.h>

#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// Joins the items of `parts`, one level deep, into `to`. The parts are Values, at least one; the first decides the
// kind: a list takes the items of lists and tuples and the elements or rows of tensors; a tensor takes tensors, and
// lists that can be made one; dicts are joined value by value. With `move` items may be moved out of the parts.
// InvalidArgument with a reason:
//   not_iterable     a number, null or a tensor without dimensions; what is no sequence, later on
//   not_flattenable  a string; any failure inside a dict
//   key_mismatch     dicts with different keys, or a dict followed by something else
//   ragged           tensors whose inner shapes differ, unless padded
absl::Status FlattenValues(const std::vector<void*>& parts, bool move, const codec::Padding& padding, Value& to);

// The error not_flattenable for a failure to join the member at `where`, whatever `status` says. OK stays OK.
absl::Status NotFlattenableAt(absl::string_view where, const absl::Status& status);

}  // namespace twinkle::codec
