#include "runtime/collective/tree.h"

#include <algorithm>

namespace twinkle::collective {
namespace {

int ParentOf(const std::vector<uint64_t>& machines, int rank) {
  if (rank == 0) return -1;
  const uint64_t machine = machines[static_cast<size_t>(rank)];
  if (machine == 0) return 0;
  const auto leader = std::find(machines.begin(), machines.end(), machine) - machines.begin();
  return leader == rank ? 0 : static_cast<int>(leader);
}

}  // namespace

TreePlace PlaceInTree(const std::vector<uint64_t>& machines, int rank) {
  TreePlace place;
  place.parent = ParentOf(machines, rank);
  for (int other = rank + 1; other < static_cast<int>(machines.size()); ++other) {
    if (ParentOf(machines, other) == rank) place.children.push_back(other);
  }
  return place;
}

}  // namespace twinkle::collective
