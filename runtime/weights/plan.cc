#include "runtime/weights/plan.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/weights/holdings.h"
#include "runtime/weights/pattern.h"

namespace twinkle::weights {
namespace {

// Turns: what is in this process, what is on this machine, fellows one after another, all other sources.
constexpr int kHere = 0;
constexpr int kNear = 1;
constexpr int kFirstFellow = 2;

std::vector<uint32_t> MembersWhere(const Side& side, bool all, int32_t machine) {
  std::vector<uint32_t> members;
  for (uint32_t i = 0; i < side.members.size(); ++i) {
    if (all || side.members[i].machine == machine) members.push_back(i);
  }
  return members;
}

class Planner {
 public:
  Planner(const Side* sources, const Side* receivers, uint32_t self, const PlanOptions* options)
      : sources_(*sources),
        receivers_(*receivers),
        self_(self),
        options_(*options),
        me_(receivers->members[self]),
        table_(*receivers->tables[me_.table]),
        neighbours_(MembersWhere(*receivers, false, me_.machine)),
        source_holdings_(sources, MembersWhere(*sources, true, 0)) {}

  absl::StatusOr<Plan> Run() {
    const std::vector<bool> picked = Picked(table_);
    FindFellows(picked);
    SetTurns();
    source_batches_.resize(sources_.members.size());
    fellow_batches_.resize(receivers_.members.size());
    for (uint32_t entry = 0; entry < table_.size(); ++entry) {
      if (picked[entry]) PlanRead(entry);
    }
    if (!first_.ok()) {
      if (failed_ == 1) return first_;
      return absl::Status(first_.code(), absl::StrCat(first_.message(), " (and ", failed_ - 1, " more tensors)"));
    }
    Collect(&source_batches_, &plan_.from_sources);
    Collect(&fellow_batches_, &plan_.from_fellows);
    return std::move(plan_);
  }

 private:
  // Nobody fetches for others where nothing comes from elsewhere.
  bool HasFellows() const {
    return neighbours_.size() > 1 && std::any_of(sources_.members.begin(), sources_.members.end(),
                                                 [&](const Member& source) { return source.machine != me_.machine; });
  }

  // The entries that whoever has this table plans to read: of tied names the first that the sources have, else the
  // first. Others can tell it, so that nobody waits for what a fellow reads under another name.
  std::vector<bool> Picked(const Table& table) const {
    constexpr uint32_t kNone = UINT32_MAX;
    const std::vector<uint32_t> ties = TiesOf(table);
    std::vector<bool> tied(table.size());
    for (uint32_t entry = 0; entry < table.size(); ++entry) {
      if (ties[entry] != entry) tied[ties[entry]] = tied[entry] = true;
    }
    std::vector<uint32_t> pick(table.size(), kNone);  // by the first of tied names
    for (uint32_t entry = 0; entry < table.size(); ++entry) {
      if (pick[ties[entry]] == kNone && (!tied[entry] || SourceHas(table.name(entry)))) pick[ties[entry]] = entry;
    }
    std::vector<bool> picked(table.size());
    for (uint32_t entry = 0; entry < table.size(); ++entry) {
      if (ties[entry] == entry) picked[pick[entry] == kNone ? entry : pick[entry]] = true;
    }
    return picked;
  }

  bool SourceHas(std::string_view name) const {
    const std::optional<std::string> source = SourceName(options_.match, name);
    return source && source_holdings_.Has(*source);
  }

  void FindFellows(const std::vector<bool>& own) {
    if (!HasFellows()) return;
    std::vector<std::vector<bool>> picked(receivers_.tables.size());
    picked[me_.table] = own;
    for (const uint32_t neighbour : neighbours_) {
      const uint32_t table = receivers_.members[neighbour].table;
      if (picked[table].empty()) picked[table] = Picked(*receivers_.tables[table]);
    }
    fellow_holdings_.emplace(&receivers_, neighbours_, &picked);
  }

  void SetTurns() {
    havers_.holdings = &source_holdings_;
    havers_.side = &sources_;
    for (const Member& source : sources_.members) {
      int turn = kFirstFellow + static_cast<int>(neighbours_.size());
      if (source.machine == me_.machine) turn = kNear;
      if (source.machine == me_.machine && source.process == me_.process) turn = kHere;
      havers_.turns.push_back(turn);
    }
    if (!fellow_holdings_) return;
    fellows_.holdings = &*fellow_holdings_;
    fellows_.side = &receivers_;
  }

  // In the order that begins with neighbour `first`, those before this member are asked. Each index is then fetched by
  // the first of them that needs it, so that nobody has to ask on.
  void SetFellowTurns(uint32_t first) {
    fellows_.turns.assign(receivers_.members.size(), Havers::kNever);
    for (size_t i = 0; i < neighbours_.size(); ++i) {
      const uint32_t neighbour = neighbours_[(first + i) % neighbours_.size()];
      if (neighbour == self_) return;
      fellows_.turns[neighbour] = kFirstFellow + static_cast<int>(i);
    }
  }

  void PlanRead(uint32_t own) {
    const std::string_view name = table_.name(own);
    const bool keep = FitsAny(options_.keep, name);
    const std::optional<uint32_t> ordinal = FindSources(name);
    if (!ordinal || (keep && havers_.held.empty())) {
      plan_.kept.push_back(own);
    } else if (havers_.held.empty()) {
      Fail(name, absl::InvalidArgumentError(absl::StrCat("no rank of ", sources_.name, " has it, which ",
                                                         receivers_.NameOf(self_), " needs")));
    } else {
      Pattern& pattern = PatternOf(own, FindFellowsOf(name, keep, *ordinal));
      if (pattern.uncovered && keep) {
        plan_.kept.push_back(own);
      } else if (!pattern.status.ok()) {
        Fail(name, pattern.status);
      } else {
        AddReads(own, &pattern);
      }
    }
  }

  // To havers_; the tensor's number among those of its form. Nothing: a rule says that it stays.
  std::optional<uint32_t> FindSources(std::string_view name) {
    havers_.held.clear();
    if (options_.match.empty()) return source_holdings_.Find(name, &havers_.held);
    const std::optional<std::string> source = SourceName(options_.match, name);
    if (!source) return std::nullopt;
    return source_holdings_.Find(*source, &havers_.held);
  }

  // To fellows_; the neighbour that comes first for this tensor. Of what may stay as it is nobody waits for another.
  uint32_t FindFellowsOf(std::string_view name, bool keep, uint32_t ordinal) {
    fellows_.held.clear();
    if (!fellow_holdings_ || keep) return 0;
    fellow_holdings_->Find(name, &fellows_.held);
    return ordinal % static_cast<uint32_t>(neighbours_.size());
  }

  void AddReads(uint32_t own, Pattern* pattern) {
    for (const std::vector<Option>& cut : pattern->cuts) {
      const Option& option = cut[(self_ + pattern->uses) % cut.size()];
      Batch& batch = (option.fellow ? fellow_batches_ : source_batches_)[option.member];
      const std::vector<Held>& held = option.fellow ? fellows_.held : havers_.held;
      batch.reads.push_back({held[option.held].entry, own, option.move});
      batch.bytes += option.bytes;
    }
    ++pattern->uses;
  }

  // By all that a pattern depends on: which forms meet, and who fetches.
  Pattern& PatternOf(uint32_t own, uint32_t first) {
    key_.assign({table_.entry(own).form, first, static_cast<uint32_t>(havers_.held.size())});
    for (const Havers* havers : {&havers_, &fellows_}) {
      for (const Held& held : havers->held) {
        key_.push_back(held.table);
        key_.push_back(havers->side->tables[held.table]->entry(held.entry).form);
      }
    }
    const auto known = patterns_.find(key_);
    if (known != patterns_.end()) return known->second;
    if (!fellows_.held.empty()) SetFellowTurns(first);
    const PatternMaker maker{&receivers_, self_, options_.cast, &plan_.moves};
    return patterns_.emplace(key_, maker.Make(table_.entry(own).form, havers_, fellows_)).first->second;
  }

  void Fail(std::string_view name, const absl::Status& why) {
    if (failed_++ == 0) first_ = base::Annotate(why, absl::StrCat("tensor '", std::string(name), "'"));
  }

  static void Collect(std::vector<Batch>* by_member, std::vector<Batch>* batches) {
    for (uint32_t member = 0; member < by_member->size(); ++member) {
      Batch& batch = (*by_member)[member];
      if (batch.reads.empty()) continue;
      batch.member = member;
      batches->push_back(std::move(batch));
    }
  }

  const Side& sources_;
  const Side& receivers_;
  const uint32_t self_;
  const PlanOptions& options_;
  const Member& me_;
  const Table& table_;
  const std::vector<uint32_t> neighbours_;  // the receivers of this machine, with this one
  Holdings source_holdings_;
  std::optional<Holdings> fellow_holdings_;
  Havers havers_;   // of the tensor that is being planned
  Havers fellows_;  // likewise

  std::vector<uint32_t> key_;
  absl::flat_hash_map<std::vector<uint32_t>, Pattern> patterns_;

  Plan plan_;
  std::vector<Batch> source_batches_;  // by member
  std::vector<Batch> fellow_batches_;
  absl::Status first_;
  int64_t failed_ = 0;
};

}  // namespace

absl::StatusOr<Plan> PlanOf(const Side& sources, const Side& receivers, size_t self, const PlanOptions& options) {
  return Planner(&sources, &receivers, static_cast<uint32_t>(self), &options).Run();
}

}  // namespace twinkle::weights
