// The tree along which ranks agree: from each to the lowest rank of its machine, and from that to rank 0.
#pragma once

#include <cstdint>
#include <vector>

namespace twinkle::collective {

// A rank's place in it.
struct TreePlace {
  int parent = -1;            // of rank 0: none
  std::vector<int> children;  // ascending
};

// `machines`: of each rank; 0: it is not known, and the rank is taken to be alone on its own.
TreePlace PlaceInTree(const std::vector<uint64_t>& machines, int rank);

}  // namespace twinkle::collective
