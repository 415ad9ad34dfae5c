#include "runtime/weights/pattern.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>

#include "runtime/base/status.h"
#include "runtime/weights/box.h"
#include "runtime/weights/copy.h"

namespace twinkle::weights {
namespace {

constexpr int64_t kMostAtOnce = int64_t{4} << 20;  // bytes that are read of one replica where there are several

// A holder of the cover, and who it is.
struct Candidate {
  bool fellow = false;
  uint32_t member = 0;
  uint32_t held = 0;
  const View* view = nullptr;
  DType dtype = DType::kFloat32;
};

struct Candidates {
  std::vector<Holder> holders;
  std::vector<Candidate> who;  // of each holder
};

std::string Kind(const Form& form) {
  return absl::StrCat(DTypeName(form.dtype), " of shape {", absl::StrJoin(form.shape, ", "), "}");
}

const Form& FormAt(const Side& side, uint32_t table, uint32_t form) { return side.tables[table]->forms()[form]; }

absl::Status CheckKinds(const Form& theirs, const std::string& whose, const Form& own, const std::string& self,
                        bool cast) {
  const bool same_shape = theirs.shape == own.shape;
  if (same_shape && (theirs.dtype == own.dtype || (cast && CanCast(theirs.dtype, own.dtype)))) return absl::OkStatus();
  std::string what = absl::StrCat("it is ", Kind(theirs), " on ", whose, ", but ", Kind(own), " on ", self);
  if (same_shape && CanCast(theirs.dtype, own.dtype)) absl::StrAppend(&what, "; .cast = true would round it");
  return absl::InvalidArgumentError(what);
}

absl::Status AddCandidates(const Havers& havers, bool fellows, const Form& own, const std::string& self, bool cast,
                           Candidates* all) {
  for (uint32_t i = 0; i < havers.held.size(); ++i) {
    const uint32_t table = havers.held[i].table;
    const uint32_t number = havers.side->tables[table]->entry(havers.held[i].entry).form;
    const Form& form = FormAt(*havers.side, table, number);
    const std::vector<uint32_t>& members = havers.holdings->MembersOf(table);
    if (fellows && form.dtype != own.dtype) continue;  // its memory is no help
    TWINKLE_RETURN_IF_ERROR(CheckKinds(form, havers.side->NameOf(members[0]), own, self, cast));
    TWINKLE_ASSIGN_OR_RETURN(const std::vector<View>* views, havers.holdings->ViewsOf(table, number));
    for (size_t m = 0; m < members.size(); ++m) {
      const int turn = havers.turns[members[m]];
      if (turn == Havers::kNever) continue;
      all->holders.push_back({(*views)[m].box, turn});
      all->who.push_back({fellows, members[m], i, &(*views)[m], form.dtype});
    }
  }
  return absl::OkStatus();
}

}  // namespace

Pattern PatternMaker::Make(uint32_t own, const Havers& sources, const Havers& fellows) const {
  Pattern pattern;
  const Member& member = receivers->members[self];
  const Form& form = FormAt(*receivers, member.table, own);
  const std::string name = receivers->NameOf(self);
  const absl::StatusOr<View> view = receivers->tables[member.table]->ViewOf(own, member.rank);
  Candidates all;
  pattern.status = view.status();
  if (pattern.status.ok()) pattern.status = AddCandidates(sources, false, form, name, cast, &all);
  if (pattern.status.ok()) pattern.status = AddCandidates(fellows, true, form, name, cast, &all);
  if (!pattern.status.ok()) return pattern;
  const Cover cover = CoverOf(view->box, all.holders, kMostAtOnce / SizeOf(form.dtype));
  if (!cover.open.empty()) {
    pattern.uncovered = true;
    pattern.status = absl::InvalidArgumentError(absl::StrCat("box ", BoxText(cover.open[0]), " of it, which ", name,
                                                             " needs, is on no rank of ", sources.side->name));
    return pattern;
  }
  for (const Cut& cut : cover.cuts) {
    std::vector<Option>& options = pattern.cuts.emplace_back();
    for (const size_t holder : cut.holders) {
      const Candidate& who = all.who[holder];
      Move move = MoveOf(cut.box, *who.view, *view);
      const int64_t bytes = move.elements() * SizeOf(who.dtype);
      if (options.empty() || (*moves)[options.back().move] != move) moves->push_back(std::move(move));
      options.push_back({who.member, who.fellow, who.held, static_cast<uint32_t>(moves->size() - 1), bytes});
    }
  }
  return pattern;
}

}  // namespace twinkle::weights
