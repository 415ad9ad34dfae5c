#include "runtime/object/lazy_plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::object {
namespace {

using codec::Range;

constexpr int64_t kMostRows = int64_t{1} << 26;  // that are planned one by one

void Append(Runs& runs, const Run& run) {
  if (!runs.empty() && runs.back().source == run.source && runs.back().end == run.begin) {
    runs.back().end = run.end;
  } else {
    runs.push_back(run);
  }
}

void Append(std::vector<Range>& ranges, Range range) {
  if (!ranges.empty() && ranges.back().end == range.begin) {
    ranges.back().end = range.end;
  } else {
    ranges.push_back(range);
  }
}

absl::Status CheckHasRows(const LazyPlan& plan) {
  if (!std::all_of(plan.parts.begin(), plan.parts.end(), [](const PlanPart& part) { return part.whole; })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("it has no rows: it is or holds no list or tensor");
}

// f(part's runs) -> runs for each part that has rows.
template <class F>
LazyPlan EachPart(const LazyPlan& plan, F&& f) {
  LazyPlan made = plan;
  for (PlanPart& part : made.parts) {
    if (!part.whole) part.runs = f(part.runs);
  }
  return made;
}

bool Same(const PlanSource& a, const PlanSource& b) {
  if (a.path != b.path || a.item != b.item || (a.object == nullptr) != (b.object == nullptr)) return false;
  return a.object != nullptr ? a.object->ref() == b.object->ref() : a.value.value == b.value.value;
}

// Adds the sources that are not there yet; the parts' runs name those in `all` from then on.
void AddSources(std::vector<PlanSource>& all, const std::vector<PlanSource>& sources, std::vector<PlanPart>& parts) {
  std::vector<size_t> places;
  for (const PlanSource& source : sources) {
    const auto known = std::find_if(all.begin(), all.end(), [&](const PlanSource& one) { return Same(one, source); });
    places.push_back(static_cast<size_t>(known - all.begin()));
    if (known == all.end()) all.push_back(source);
  }
  for (PlanPart& part : parts) {
    for (Run& run : part.runs) run.source = places[run.source];
  }
}

// `some` of the runs in `all`, and an empty one of each source of tensors that is not among them any more.
Runs WithTensors(const LazyPlan& plan, const Runs& all, Runs some) {
  std::vector<bool> there(plan.sources.size());
  for (const Run& run : some) there[run.source] = true;
  for (const Run& run : all) {
    if (there[run.source]) continue;
    there[run.source] = true;
    const codec::Rows& rows = plan.sources[run.source].rows;
    const bool tensors = std::any_of(rows.begin(), rows.end(), [](const codec::RowNode& node) {
      return node.kind == codec::RowNode::Kind::kTensor;
    });
    if (tensors) some.push_back({run.source, run.begin, run.begin});
  }
  return some;
}

absl::Status CheckRow(int64_t row, int64_t rows) {
  if (row >= 0 && row < rows) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("it has ", rows, " rows, there is no row ", row));
}

std::vector<std::vector<uint32_t>> TargetsOf(const LazyPlan& plan) {
  std::vector<std::vector<uint32_t>> targets;
  for (const PlanPart& part : plan.parts) targets.push_back(part.target);
  return targets;
}

// The same value, made of the members at those paths.
absl::StatusOr<LazyPlan> TakenApart(const LazyPlan& plan, const std::vector<std::vector<uint32_t>>& targets) {
  LazyPlan apart;
  for (const std::vector<uint32_t>& target : targets) {
    LazyPlan field = plan;
    for (uint32_t member : target) {
      TWINKLE_ASSIGN_OR_RETURN(field, FieldOf(field, member));
    }
    if (field.parts.size() != 1) return absl::InvalidArgumentError("values made of different members cannot be joined");
    field.parts[0].target = target;
    AddSources(apart.sources, field.sources, field.parts);
    apart.parts.push_back(std::move(field.parts[0]));
  }
  return apart;
}

}  // namespace

codec::Rows RowsOfItem() { return {codec::RowNode{.kind = codec::RowNode::Kind::kList, .key = {}, .rows = 1}}; }

// ---- of runs
int64_t RowCount(const Runs& runs) {
  int64_t rows = 0;
  for (const Run& run : runs) rows += run.end - run.begin;
  return rows;
}

Runs RowsOf(const Runs& runs, Range range) {
  Runs some;
  int64_t done = 0;
  for (const Run& run : runs) {
    const int64_t length = run.end - run.begin;
    const int64_t begin = std::clamp<int64_t>(range.begin - done, 0, length);
    const int64_t end = std::clamp<int64_t>(range.end - done, begin, length);
    if (begin < end) Append(some, {run.source, run.begin + begin, run.begin + end});
    done += length;
  }
  if (some.empty() && !runs.empty()) some.push_back({runs[0].source, runs[0].begin, runs[0].begin});
  return some;
}

// ---- of plans
int64_t RowCount(const LazyPlan& plan) {
  for (const PlanPart& part : plan.parts) {
    if (!part.whole) return RowCount(part.runs);
  }
  return 0;
}

absl::StatusOr<LazyPlan> TakeRange(const LazyPlan& plan, Range range) {
  TWINKLE_RETURN_IF_ERROR(CheckHasRows(plan));
  const int64_t rows = RowCount(plan);
  if (range.begin < 0 || range.begin > range.end || range.end > rows) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", rows, " rows"));
  }
  return EachPart(plan, [&](const Runs& runs) { return WithTensors(plan, runs, RowsOf(runs, range)); });
}

absl::StatusOr<LazyPlan> TakeRows(const LazyPlan& plan, const std::vector<int64_t>& rows) {
  TWINKLE_RETURN_IF_ERROR(CheckHasRows(plan));
  const int64_t count = RowCount(plan);
  for (int64_t row : rows) TWINKLE_RETURN_IF_ERROR(CheckRow(row, count));
  return EachPart(plan, [&](const Runs& runs) {
    std::vector<int64_t> begins;  // of each run, in rows of the part
    int64_t done = 0;
    for (const Run& run : runs) {
      begins.push_back(done);
      done += run.end - run.begin;
    }
    Runs taken;
    for (int64_t row : rows) {
      const size_t index =
          static_cast<size_t>(std::upper_bound(begins.begin(), begins.end(), row) - begins.begin()) - 1;
      const int64_t at = runs[index].begin + row - begins[index];
      Append(taken, {runs[index].source, at, at + 1});
    }
    return taken.empty() ? RowsOf(runs, {0, 0}) : taken;
  });
}

absl::StatusOr<LazyPlan> RepeatRows(const LazyPlan& plan, int64_t times) {
  TWINKLE_RETURN_IF_ERROR(CheckHasRows(plan));
  if (times < 0) return absl::InvalidArgumentError(absl::StrCat("rows cannot be repeated ", times, " times"));
  if (times > 0 && RowCount(plan) > kMostRows / times) {
    return absl::InvalidArgumentError(
        absl::StrCat(RowCount(plan), " rows, each ", times, " times, are too many: more than ", kMostRows));
  }
  return EachPart(plan, [&](const Runs& runs) {
    if (times == 0) return RowsOf(runs, {0, 0});
    Runs repeated;
    for (const Run& run : runs) {
      for (int64_t row = run.begin; row < run.end; ++row) {
        for (int64_t i = 0; i < times; ++i) Append(repeated, {run.source, row, row + 1});
      }
    }
    return repeated.empty() ? runs : repeated;
  });
}

absl::StatusOr<LazyPlan> ConcatRows(const std::vector<LazyPlan>& plans) {
  const LazyPlan& finest = *std::max_element(
      plans.begin(), plans.end(), [](const LazyPlan& a, const LazyPlan& c) { return a.parts.size() < c.parts.size(); });
  const std::vector<std::vector<uint32_t>> targets = TargetsOf(finest);
  LazyPlan joined;
  for (const LazyPlan& given : plans) {
    LazyPlan plan = given;
    if (TargetsOf(plan) != targets) {
      TWINKLE_ASSIGN_OR_RETURN(plan, TakenApart(given, targets));
    }
    AddSources(joined.sources, plan.sources, plan.parts);
    if (joined.parts.empty()) {
      joined.parts = std::move(plan.parts);
      continue;
    }
    for (size_t p = 0; p < joined.parts.size(); ++p) {
      PlanPart& part = joined.parts[p];
      const PlanPart* const same = &plan.parts[p];
      if (part.whole || same->whole) {
        return absl::InvalidArgumentError("it has members without rows, which cannot be joined");
      }
      if (RowCount(part.runs) == 0) part.runs.clear();
      for (const Run& run : same->runs) {
        if (run.begin < run.end || part.runs.empty()) Append(part.runs, run);
      }
    }
  }
  return joined;
}

absl::StatusOr<LazyPlan> FieldOf(const LazyPlan& plan, uint32_t member) {
  LazyPlan field;
  for (const PlanPart& part : plan.parts) {
    if (part.target.empty()) {  // of every source
      field.sources = plan.sources;
      for (PlanSource& source : field.sources) {
        source.path.push_back(member);
        source.rows = codec::Subtree(source.rows, {member});
      }
      field.parts = {part};
      const size_t first = part.runs.at(0).source;
      if (codec::LeafCount(field.sources[first].rows) == 0) {
        field.parts[0] = {.target = {}, .whole = true, .runs = {{first, 0, 0}}};
      }
      return field;
    }
    if (part.target[0] != member) continue;
    field.parts.push_back(part);
    field.parts.back().target.erase(field.parts.back().target.begin());
  }
  if (field.parts.empty()) return absl::InvalidArgumentError(absl::StrCat("it has no member ", member));
  field.sources = plan.sources;
  return field;
}

absl::StatusOr<LazyPlan> RecordOf(const std::vector<LazyPlan>& members) {
  LazyPlan record;
  int64_t rows = -1;
  for (size_t i = 0; i < members.size(); ++i) {
    std::vector<PlanPart> parts = members[i].parts;
    AddSources(record.sources, members[i].sources, parts);
    for (PlanPart& part : parts) {
      part.target.insert(part.target.begin(), static_cast<uint32_t>(i));
      if (!part.whole && rows >= 0 && RowCount(part.runs) != rows) {
        return absl::InvalidArgumentError(
            absl::StrCat("its members have ", rows, " and ", RowCount(part.runs), " rows"));
      }
      if (!part.whole) rows = RowCount(part.runs);
      record.parts.push_back(std::move(part));
    }
  }
  return record;
}

// ---- what there is
LazyPlan Pruned(LazyPlan plan) {
  std::vector<size_t> place(plan.sources.size(), SIZE_MAX);
  std::vector<PlanSource> needed;
  for (PlanPart& part : plan.parts) {
    for (Run& run : part.runs) {
      if (place[run.source] == SIZE_MAX) {
        place[run.source] = needed.size();
        needed.push_back(std::move(plan.sources[run.source]));
      }
      run.source = place[run.source];
    }
  }
  plan.sources = std::move(needed);
  return plan;
}

namespace {

void AppendRows(const LazyPlan& plan, const codec::Type& type, std::vector<uint32_t>& path, codec::Rows& rows) {
  for (const PlanPart& part : plan.parts) {
    if (part.target != path) continue;
    codec::Rows own = plan.sources[part.runs.at(0).source].rows;
    for (codec::RowNode& node : own) {
      if (node.rows >= 0) node.rows = RowCount(part.runs);
    }
    rows.insert(rows.end(), own.begin(), own.end());
    return;
  }
  const size_t me = rows.size();
  rows.push_back({.kind = codec::RowNode::Kind::kTree, .key = {}});
  const std::shared_ptr<void> any = type.make();
  for (uint32_t member = 0;; ++member) {
    const auto place = codec::MemberAt(type, any.get(), {member});
    if (!place) return;
    ++rows[me].children;
    path.push_back(member);
    AppendRows(plan, *place->type, path, rows);
    path.pop_back();
  }
}

}  // namespace

codec::Rows RowsOf(const LazyPlan& plan, const codec::Type& type) {
  codec::Rows rows;
  std::vector<uint32_t> path;
  AppendRows(plan, type, path, rows);
  return rows;
}

// ---- reading
std::vector<PartRead> ReadsOf(const LazyPlan& plan) {
  std::vector<PartRead> reads;
  for (const PlanPart& part : plan.parts) {
    PartRead& read = reads.emplace_back();
    read.target = part.target;
    if (part.whole) {
      read.pieces.push_back({part.runs.at(0).source, {}});
      continue;
    }
    // The rows of each source, in its own order, the sources as they first come.
    std::map<size_t, std::vector<Range>> wanted;
    std::vector<size_t> sources;
    for (const Run& run : part.runs) {
      std::vector<Range>& ranges = wanted[run.source];
      if (ranges.empty()) sources.push_back(run.source);
      ranges.push_back({run.begin, run.end});
    }
    std::map<size_t, std::pair<std::vector<Range>, std::vector<int64_t>>> merged;  // and where each range is joined
    int64_t joined = 0;
    for (size_t source : sources) {
      std::vector<Range>& ranges = wanted[source];
      std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.begin < b.begin; });
      auto& [picks, begins] = merged[source];
      for (const Range& range : ranges) {
        if (!picks.empty() && range.begin <= picks.back().end) {
          picks.back().end = std::max(picks.back().end, range.end);
        } else {
          picks.push_back(range);
        }
      }
      for (const Range& pick : picks) {
        begins.push_back(joined);
        joined += pick.size();
      }
      const bool item = plan.sources[source].item;
      if (!item) read.pieces.push_back({source, picks});
      if (item && picks[0].size() > 0) read.pieces.push_back({source, {}, /*item=*/true});
    }
    std::vector<Range> order;
    for (const Run& run : part.runs) {
      const auto& [picks, begins] = merged[run.source];
      const auto after = std::upper_bound(picks.begin(), picks.end(), run.begin,
                                          [](int64_t row, const Range& pick) { return row < pick.begin; });
      const size_t index = static_cast<size_t>(after - picks.begin()) - 1;
      const int64_t begin = begins[index] + run.begin - picks[index].begin;
      if (run.begin < run.end) Append(order, {begin, begin + run.end - run.begin});
    }
    const bool as_joined = order.empty() || (order.size() == 1 && order[0] == Range{0, joined});
    if (!as_joined) read.order = std::move(order);
  }
  return reads;
}

}  // namespace twinkle::object
