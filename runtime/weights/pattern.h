// Pattern: how tensors of one form are read, of which a model has many.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <vector>

#include "runtime/weights/cover.h"
#include "runtime/weights/holdings.h"
#include "runtime/weights/move.h"

namespace twinkle::weights {

// One way to read a cut.
struct Option {
  uint32_t member = 0;  // of the sources, or of the receivers
  bool fellow = false;  // the latter
  uint32_t held = 0;    // which of the entries that have the tensor
  uint32_t move = 0;
  int64_t bytes = 0;  // there
};

struct Pattern {
  std::vector<std::vector<Option>> cuts;  // of each cut any one
  absl::Status status;                    // why tensors of this form cannot be read, without their names
  bool uncovered = false;                 // because nobody has some box of them
  uint64_t uses = 0;
};

// A side's entries that have the tensor; with those of fellows, in which turn each member is read.
struct Havers {
  Holdings* holdings = nullptr;
  const Side* side = nullptr;
  std::vector<Held> held;
  std::vector<int> turns;  // by member of the side; kNever: not read of
  static constexpr int kNever = -1;
};

// What makes patterns for one receiver. The moves of all patterns go to `moves`, each once or a few times.
struct PatternMaker {
  const Side* receivers = nullptr;
  uint32_t self = 0;
  bool cast = false;
  std::vector<Move>* moves = nullptr;

  // For tensors of the receiver's form `own`.
  Pattern Make(uint32_t own, const Havers& sources, const Havers& fellows) const;
};

}  // namespace twinkle::weights
