// The plan of a weight sync: which boxes a receiver reads from whom. A pure function of two sides' tables; each
// receiver works out its own, and all agree without a word to each other.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/weights/move.h"
#include "runtime/weights/name_rules.h"
#include "runtime/weights/side.h"

namespace twinkle::weights {

struct PlanOptions {
  std::vector<NameRule> match;    // without any: names are the same on both sides
  std::vector<std::string> keep;  // patterns: these stay as they are where the sources lack them
  bool cast = false;              // float32 may be rounded to bfloat16
};

// One move from an entry of somebody's to one of the receiver's.
struct Read {
  uint32_t entry = 0;  // of the table of whom it is read from
  uint32_t own = 0;    // of the receiver's own table
  uint32_t move = 0;   // of Plan::moves
};
struct Batch {
  uint32_t member = 0;  // of the side that it is read from
  std::vector<Read> reads;
  int64_t bytes = 0;  // as they are there
};

// Invariants:
//  WP1 each element that the receiver needs is written by exactly one read; of tied names one is read;
//  WP2 what a source on the receiver's machine has is read there; what several ranks of a machine need comes there
//      once, and the others read it from the one that has fetched it, their fellow;
//  WP3 nobody reads of a fellow what that reads of another fellow: fellows wait for nobody but sources;
//  WP4 replicas are read in turn: each gives as many tensors of a form, to all receivers together, as the others.
struct Plan {
  std::vector<Move> moves;
  std::vector<Batch> from_sources;
  std::vector<Batch> from_fellows;  // other receivers, once they have all of their from_sources
  std::vector<uint32_t> kept;       // own entries that stay as they are
};

// What member `self` of the receivers reads. REQUIRES: there is such a member. InvalidArgument: a tensor, or a box of
// it, that no source has, with the tensor, the box and the rank that needs it; another shape or dtype, with both and
// the ranks; a rank that is not in the mesh of its own table.
absl::StatusOr<Plan> PlanOf(const Side& sources, const Side& receivers, size_t self, const PlanOptions& options);

}  // namespace twinkle::weights
