#include "runtime/weights/holdings.h"

#include <absl/strings/str_cat.h>

#include <numeric>

#include "runtime/base/status.h"

namespace twinkle::weights {
namespace {

// Most tables are: then nothing is tied.
bool IsInOrderOfMemory(const Table& table) {
  for (size_t i = 1; i < table.size(); ++i) {
    const Entry& before = table.entry(i - 1);
    const Entry& entry = table.entry(i);
    if (std::pair(before.storage, before.offset) >= std::pair(entry.storage, entry.offset)) return false;
  }
  return true;
}

}  // namespace

std::string Side::NameOf(uint32_t member) const { return absl::StrCat("rank ", members[member].rank, " of ", name); }

Holdings::Holdings(const Side* side, const std::vector<uint32_t>& members, const std::vector<std::vector<bool>>* counts)
    : side_(*side), members_(side->tables.size()) {
  for (const uint32_t member : members) members_[side_.members[member].table].push_back(member);
  size_t entries = 0;
  for (uint32_t table = 0; table < members_.size(); ++table) {
    if (!members_[table].empty()) entries += side_.tables[table]->size();
  }
  links_.reserve(entries);
  chains_.reserve(entries);
  for (uint32_t table = 0; table < members_.size(); ++table) {
    if (members_[table].empty()) continue;
    const std::vector<bool>* of_table = nullptr;
    if (counts != nullptr) of_table = &(*counts)[table];
    Enter(table, of_table);
  }
}

void Holdings::Enter(uint32_t number, const std::vector<bool>* counts) {
  const Table& table = *side_.tables[number];
  std::vector<uint32_t> names_of(table.forms().size());
  for (uint32_t entry = 0; entry < table.size(); ++entry) {
    if (counts != nullptr && !(*counts)[entry]) continue;
    const auto link = static_cast<uint32_t>(links_.size());
    links_.push_back({{number, entry}, kNone});
    const auto [known, added] = chains_.try_emplace(table.name(entry));
    Chain& chain = known->second;
    if (added) {
      chain = {link, link, names_of[table.entry(entry).form]++};
    } else {
      links_[chain.last].next = link;
      chain.last = link;
    }
  }
}

uint32_t Holdings::Find(std::string_view name, std::vector<Held>* held) const {
  const auto known = chains_.find(name);
  if (known == chains_.end()) return 0;
  for (uint32_t link = known->second.first; link != kNone; link = links_[link].next) {
    held->push_back(links_[link].held);
  }
  return known->second.ordinal;
}

absl::StatusOr<const std::vector<View>*> Holdings::ViewsOf(uint32_t table, uint32_t form) {
  const auto [known, added] = views_.try_emplace(std::pair(table, form));
  if (!added) return known->second.get();
  std::vector<View> views;
  for (const uint32_t member : members_[table]) {
    absl::StatusOr<View> view = side_.tables[table]->ViewOf(form, side_.members[member].rank);
    if (!view.ok()) return base::Annotate(view.status(), side_.NameOf(member));
    views.push_back(*std::move(view));
  }
  known->second = std::make_unique<const std::vector<View>>(std::move(views));
  return known->second.get();
}

std::vector<uint32_t> TiesOf(const Table& table) {
  std::vector<uint32_t> ties(table.size());
  std::iota(ties.begin(), ties.end(), 0);
  if (IsInOrderOfMemory(table)) return ties;
  absl::flat_hash_map<std::pair<uint32_t, int64_t>, uint32_t> first_at;
  first_at.reserve(table.size());
  for (uint32_t entry = 0; entry < table.size(); ++entry) {
    const Entry& place = table.entry(entry);
    const auto [first, added] = first_at.try_emplace(std::pair(place.storage, place.offset), entry);
    const bool tied = !added && table.entry(first->second).form == place.form;
    if (tied) ties[entry] = first->second;
  }
  return ties;
}

}  // namespace twinkle::weights
