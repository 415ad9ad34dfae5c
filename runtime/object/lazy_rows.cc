#include "runtime/object/lazy_rows.h"

#include <algorithm>
#include <utility>

namespace twinkle::object {

using codec::Range;

namespace {

bool IsWhole(const codec::Rows& rows) { return codec::LeafCount(rows) == 0; }

// -1: its lists and tensors have different numbers of rows.
int64_t CountOf(const codec::Rows& rows) {
  if (IsWhole(rows)) return 0;
  const absl::StatusOr<int64_t> count = codec::CommonRows(rows);
  return count.ok() ? *count : -1;
}

// Its source's rows, all of them; none of the rest.
LazyPlan PlanOf(std::vector<PlanSource> sources) {
  PlanPart part;
  part.whole = sources.size() == 1 && IsWhole(sources[0].rows);
  for (size_t i = 0; i < sources.size(); ++i) {
    const int64_t count = CountOf(sources[i].rows);
    if (count > 0 || i == 0) part.runs.push_back({i, 0, count});
  }
  if (part.runs.size() > 1 && part.runs[0].end == 0) part.runs.erase(part.runs.begin());
  return {std::move(sources), {std::move(part)}};
}

}  // namespace

LazyRows RowsOfShards(const internal::LazyOrigin& origin, Shards shards, std::optional<Range> view) {
  LazyRows made;
  made.shards = std::move(shards);
  made.view = view;
  made.shard_rows.reserve(made.shards.size());
  for (Shard& shard : made.shards) made.shard_rows.push_back(std::move(shard.rows));
  if (origin.as_it_is) {
    made.join = Join::kSingle;
  } else if (origin.collected != nullptr && origin.own_collect == nullptr) {
    made.join =
        JoinOf(origin.rule, origin.padding.given, origin.result->kind == internal::Kind::kValue, made.shard_rows);
  }
  return made;
}

codec::Rows LazyRows::RowsOf(const codec::Type& whole) const {
  if (plan) return object::RowsOf(*plan, whole);
  codec::Rows rows = JoinedRows(*join, shard_rows);
  if (view) {
    for (codec::RowNode& node : rows) {
      if (node.rows >= 0) node.rows = view->size();
    }
  }
  return rows;
}

std::vector<Piece> LazyRows::Pieces(const dispatch::Part& part) const {
  if (!view) return PiecesOf(*join, shard_rows, part);
  dispatch::Part moved{.whole = false, .ranges = part.ranges};
  if (part.whole) moved.ranges.assign(codec::LeafCount(JoinedRows(*join, shard_rows)), Range{0, view->size()});
  for (Range& range : moved.ranges) range = {range.begin + view->begin, range.end + view->begin};
  return PiecesOf(*join, shard_rows, moved);
}

LazyRows LazyRows::View(Range range) const {
  LazyRows rows = *this;
  const int64_t offset = view ? view->begin : 0;
  rows.view = Range{range.begin + offset, range.end + offset};
  return rows;
}

bool LazyRows::CanPlan() const {
  if (plan) return true;
  if (!join || *join == Join::kList) return false;
  return std::all_of(shard_rows.begin(), shard_rows.end(), [](const codec::Rows& rows) { return CountOf(rows) >= 0; });
}

absl::StatusOr<LazyPlan> LazyRows::Plan() const {
  if (plan) return *plan;
  std::vector<PlanSource> sources;
  sources.reserve(shards.size());
  for (size_t i = 0; i < shards.size(); ++i) sources.push_back({shards[i].object, {}, {}, shard_rows[i]});
  LazyPlan all = PlanOf(std::move(sources));
  if (!view) return all;
  return TakeRange(all, *view);
}

absl::StatusOr<LazyPlan> PlanOfValue(codec::Described value) {
  PlanSource source{nullptr, value, {}, codec::RowsOf(*value.type, value.value.get())};
  if (CountOf(source.rows) < 0) return codec::CommonRows(source.rows).status();
  std::vector<PlanSource> sources;
  sources.push_back(std::move(source));
  return PlanOf(std::move(sources));
}

}  // namespace twinkle::object
