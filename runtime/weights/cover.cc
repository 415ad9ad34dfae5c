#include "runtime/weights/cover.h"

#include <algorithm>
#include <utility>

#include "runtime/mesh/share.h"
#include "runtime/weights/box.h"

namespace twinkle::weights {
namespace {

// Holders of one turn that have the same of what is needed.
struct Group {
  Box box;
  std::vector<size_t> holders;
};

// Largest first; of the same size in the order of their holders.
std::vector<Group> GroupsOf(const Box& need, const std::vector<Holder>& holders, const std::vector<size_t>& of_turn) {
  std::vector<Group> groups;
  for (const size_t holder : of_turn) {
    Box box = Intersect(need, holders[holder].box);
    if (Volume(box) == 0) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.box == box; });
    if (same == groups.end()) {
      groups.push_back({std::move(box), {holder}});
    } else {
      same->holders.push_back(holder);
    }
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return Volume(a.box) > Volume(b.box); });
  return groups;
}

// One cut, or several that those who have it give together.
void AddCuts(const Box& box, const std::vector<size_t>& holders, int64_t most, std::vector<Cut>* cuts) {
  const auto widest = std::find_if(box.begin(), box.end(), [](const Range& range) { return range.size() > 1; });
  const int64_t parts = std::min<int64_t>(static_cast<int64_t>(holders.size()), (Volume(box) + most - 1) / most);
  if (parts < 2 || widest == box.end()) {
    cuts->push_back({box, holders});
    return;
  }
  const auto dim = static_cast<size_t>(widest - box.begin());
  const int count = static_cast<int>(std::min(parts, widest->size()));
  for (int i = 0; i < count; ++i) {
    const mesh::Range share = mesh::Share(widest->size(), count, i);
    Cut cut{box, holders};
    cut.box[dim] = {widest->begin + share.begin, widest->begin + share.end};
    // Each of them begins with another one.
    std::rotate(cut.holders.begin(), cut.holders.begin() + i, cut.holders.end());
    cuts->push_back(std::move(cut));
  }
}

}  // namespace

Cover CoverOf(const Box& need, const std::vector<Holder>& holders, int64_t most) {
  std::vector<size_t> order(holders.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return holders[a].turn < holders[b].turn; });
  Cover cover;
  if (Volume(need) > 0) cover.open.push_back(need);
  for (size_t begin = 0, end = 0; begin < order.size() && !cover.open.empty(); begin = end) {
    while (end < order.size() && holders[order[end]].turn == holders[order[begin]].turn) ++end;
    const std::vector<size_t> of_turn(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                      order.begin() + static_cast<std::ptrdiff_t>(end));
    for (const Group& group : GroupsOf(need, holders, of_turn)) {
      for (const Box& open : cover.open) {
        const Box both = Intersect(open, group.box);
        if (Volume(both) > 0) AddCuts(both, group.holders, most, &cover.cuts);
      }
      cover.open = Without(cover.open, group.box);
    }
  }
  return cover;
}

}  // namespace twinkle::weights
