#include "runtime/object/lazy_rows.h"

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::object {
namespace {

bool IsWhole(const codec::Rows& rows) { return codec::LeafCount(rows) == 0; }

// 0 where there is nothing to count.
absl::StatusOr<int64_t> CountOf(const codec::Rows& rows) {
  if (IsWhole(rows)) return 0;
  return codec::CommonRows(rows);
}

// Its sources' rows, all of them. InvalidArgument: those of one have no one number.
absl::StatusOr<LazyPlan> PlanOf(std::vector<PlanSource> sources) {
  PlanPart part;
  part.whole = IsWhole(sources[0].rows);  // and then all of them are, and equal
  for (size_t i = 0; i < sources.size(); ++i) {
    TWINKLE_ASSIGN_OR_RETURN(const int64_t count, CountOf(sources[i].rows));
    if (count > 0 || i == 0) part.runs.push_back({i, 0, count});
  }
  if (part.runs.size() > 1 && part.runs[0].end == 0) part.runs.erase(part.runs.begin());
  return LazyPlan{std::move(sources), {std::move(part)}};
}

}  // namespace

LazyRows RowsOfShards(const internal::LazyOrigin& origin, Shards shards) {
  LazyRows made;
  made.shards = std::move(shards);
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
  return plan ? object::RowsOf(*plan, whole) : JoinedRows(*join, shard_rows);
}

bool LazyRows::OfObjects() const {
  if (!plan) return join.has_value();
  return std::all_of(plan->sources.begin(), plan->sources.end(),
                     [](const PlanSource& source) { return source.object != nullptr; });
}

bool LazyRows::CanPlan() const {
  if (plan || !join) return plan.has_value();
  if (*join == Join::kList) return true;
  const bool even =
      std::all_of(shard_rows.begin(), shard_rows.end(), [](const codec::Rows& rows) { return CountOf(rows).ok(); });
  // Those of several shards may add up to one number all the same.
  return even || !CountOf(JoinedRows(*join, shard_rows)).ok();
}

absl::StatusOr<LazyPlan> LazyRows::Plan() const {
  if (plan) return *plan;
  const bool items = *join == Join::kList;
  std::vector<PlanSource> sources;
  sources.reserve(shards.size());
  for (size_t i = 0; i < shards.size(); ++i) {
    PlanSource& source = sources.emplace_back();
    source.object = shards[i].object;
    source.rows = items ? RowsOfItem() : shard_rows[i];
    source.item = items;
    if (shards[i].carried && (items || IsWhole(source.rows))) {  // else it is never read whole
      source.carried = std::make_shared<const codec::Encoded>(*shards[i].carried);
    }
  }
  return PlanOf(std::move(sources));
}

absl::StatusOr<LazyPlan> PlanOfValue(const codec::Described& value) {
  std::vector<PlanSource> sources;
  sources.push_back({nullptr, value, {}, codec::RowsOf(*value.type, value.value.get())});
  return PlanOf(std::move(sources));
}

}  // namespace twinkle::object
