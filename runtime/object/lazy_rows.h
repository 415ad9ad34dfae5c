// What the value of a settled lazy is made of: rows of shards that lie where they were made.
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
  std::optional<Join> join;          // how the shards make up the value, where their rows alone say so
  std::optional<codec::Range> view;  // no more than these rows of the joined shards; there is a join then
  std::optional<LazyPlan> plan;      // instead of shards: the value is planned over other lazies

  // Whether the rows of the value are known without the value.
  bool known() const { return join.has_value() || plan.has_value(); }
  // The rows of the value, whose type is `whole`. REQUIRES: known().
  codec::Rows RowsOf(const codec::Type& whole) const;
  // The pieces of the shards that make up a part of the value. REQUIRES: join.
  std::vector<Piece> Pieces(const dispatch::Part& part) const;
  // Rows of the value, which has them. REQUIRES: join.
  LazyRows View(codec::Range range) const;
  // Whether others can be planned over it without the value.
  bool CanPlan() const;
  // The plan that takes all of it. REQUIRES: CanPlan().
  absl::StatusOr<LazyPlan> Plan() const;
};

// What the ranks of a call gave; with `view` no more than these rows of it, which it has.
LazyRows RowsOfShards(const internal::LazyOrigin& origin, Shards shards, std::optional<codec::Range> view);

// The plan that takes all of a value of this process. InvalidArgument: its lists and tensors have different numbers of
// rows.
absl::StatusOr<LazyPlan> PlanOfValue(codec::Described value);

}  // namespace twinkle::object
