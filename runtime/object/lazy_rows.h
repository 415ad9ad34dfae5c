// What the value of a settled lazy is made of: what the ranks of a call gave, or a plan over that of others. Any plan
// can be made over either (Plan), so that rows, members and joins of lazies have one description.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <vector>

#include "runtime/object/lazy_origin.h"
#include "runtime/object/lazy_plan.h"
#include "runtime/object/object_store.h"
#include "runtime/object/row_plan.h"

namespace twinkle::object {

// Constant once the lazy has settled. It is empty for a lazy that has failed, is void, or was given its value.
struct LazyRows {
  Shards shards;  // without their rows, which are
  std::vector<codec::Rows> shard_rows;
  std::optional<Join> join;      // how the shards make up the value, where their rows alone say so
  std::optional<LazyPlan> plan;  // instead of shards

  // Whether the rows of the value are known without the value.
  bool known() const { return join.has_value() || plan.has_value(); }
  // The rows of the value, whose type is `whole`. REQUIRES: known().
  codec::Rows RowsOf(const codec::Type& whole) const;
  // Whether it is made of objects alone, which any process of the job can read.
  bool OfObjects() const;
  // Whether others can be planned over it without the value.
  bool CanPlan() const;
  // The plan that takes all of it. InvalidArgument: its lists and tensors have different numbers of rows. REQUIRES:
  // CanPlan().
  absl::StatusOr<LazyPlan> Plan() const;
};

// What the ranks of a call gave.
LazyRows RowsOfShards(const internal::LazyOrigin& origin, Shards shards);

// The plan that takes all of a value of this process. InvalidArgument: its lists and tensors have different numbers of
// rows.
absl::StatusOr<LazyPlan> PlanOfValue(const codec::Described& value);

}  // namespace twinkle::object
