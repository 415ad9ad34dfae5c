// A value that is to be made of rows of others, none of which has moved yet. Pure functions.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/object/object_store.h"

namespace twinkle::object {

// What rows are taken of: a shard, or a value of this process; of a member of it, when there is a path.
struct PlanSource {
  std::shared_ptr<const HeldObject> object;  // or
  codec::Described value;
  std::vector<uint32_t> path;
  codec::Rows rows;                                         // of that member
  bool item = false;                                        // the source is a list, whose one item the object is
  std::shared_ptr<const codec::Encoded> carried = nullptr;  // the whole object, where it came along with a reply
};
// The rows of a source that is an item.
codec::Rows RowsOfItem();

// Rows [begin, end) of a source.
struct Run {
  size_t source = 0;  // in LazyPlan::sources
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const Run&) const = default;
};
using Runs = std::vector<Run>;

// A value, or a member of one.
struct PlanPart {
  std::vector<uint32_t> target;  // where it is in the value; empty: it is the value
  bool whole = false;            // it has no rows: the one run names its source, and is empty
  Runs runs;                     // its rows, in order
};

// Invariants: there is at least one part; no part is within another; all that are not whole have the same rows.
struct LazyPlan {
  std::vector<PlanSource> sources;
  std::vector<PlanPart> parts;
};

// ---- of runs
int64_t RowCount(const Runs& runs);
// REQUIRES: 0 <= begin <= end <= RowCount. Never empty unless `runs` is: without rows one run says of what there are
// none.
Runs RowsOf(const Runs& runs, codec::Range range);

// ---- of plans
// 0 when all parts are whole.
int64_t RowCount(const LazyPlan& plan);
// InvalidArgument: the value has no rows, or not those. Sources of tensors stay, be it without rows: all of them
// together say of which dtype and inner shape the value is.
absl::StatusOr<LazyPlan> TakeRange(const LazyPlan& plan, codec::Range range);
absl::StatusOr<LazyPlan> TakeRows(const LazyPlan& plan, const std::vector<int64_t>& rows);
// Each row that many times, one after the other.
absl::StatusOr<LazyPlan> RepeatRows(const LazyPlan& plan, int64_t times);
// InvalidArgument: their parts differ.
absl::StatusOr<LazyPlan> ConcatRows(const std::vector<LazyPlan>& plans);
// A member of the value. InvalidArgument: there is none.
absl::StatusOr<LazyPlan> FieldOf(const LazyPlan& plan, uint32_t member);
// A struct of such members, in their order. InvalidArgument: their rows differ.
absl::StatusOr<LazyPlan> RecordOf(const std::vector<LazyPlan>& members);

// Without the sources that no part needs.
LazyPlan Pruned(LazyPlan plan);

// What the value's rows are, as codec::RowsOf; `type` is the value's.
codec::Rows RowsOf(const LazyPlan& plan, const codec::Type& type);

// ---- reading
// What is read of each source of a part, no row twice; and how the part comes from these, joined in their order.
struct PartRead {
  std::vector<uint32_t> target;
  struct Piece {
    size_t source = 0;
    std::vector<codec::Range> picks;  // empty: all of it
    bool item = false;                // it is one item of the part, which is a list then
  };
  std::vector<Piece> pieces;        // none: it is an empty list
  std::vector<codec::Range> order;  // rows of the joined pieces, one after another; empty: as they are
};
std::vector<PartRead> ReadsOf(const LazyPlan& plan);

}  // namespace twinkle::object
