// Move: which elements of one memory go where in another one.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/weights/table.h"

namespace twinkle::weights {

// One dimension of a move: so many steps, of so many elements on each side.
struct Step {
  int64_t count = 1;
  int64_t from = 0;
  int64_t to = 0;
  bool operator==(const Step&) const = default;
};

// Offsets count elements from the first one of the source's and the receiver's entry.
struct Move {
  int64_t from = 0;
  int64_t to = 0;
  std::vector<Step> steps;  // outermost first on the receiver's side; as few as say it; none: one element
  bool operator==(const Move&) const = default;

  int64_t elements() const;
};

// What of `box` (in the whole tensor) goes from one rank's view of it to another's. REQUIRES: it is within both.
Move MoveOf(const Box& box, const View& from, const View& to);

}  // namespace twinkle::weights
