// The schedule of a rank: what it sends, takes and folds, and in which order. Where is the order of a reduction
// decided: here.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/collective/record.h"

namespace twinkle::collective {

// One thing that a rank does. Ranges are in elements: of its input in kSendInput, kCopyInput (from), kBegin and kFold
// of its own; of its output in kSendOutput, kTake, kCopyInput (to) and kFinish. An accumulator has the place of the
// output.
struct Step {
  enum class Kind : uint8_t {
    kSendInput,   // to the peer
    kSendOutput,  // to the peer
    kTake,        // the peer's next into the output
    kCopyInput,   // into the output
    kBegin,       // the accumulator is what the rank `peer` has: its next, or this rank's own input
    kFold,        // and is folded with that
    kFinish,      // the accumulator becomes output
  };
  Kind kind = Kind::kTake;
  int peer = 0;  // kBegin, kFold: may be this rank
  int64_t from = 0;
  int64_t to = 0;
  int64_t count = 0;
  bool operator==(const Step&) const = default;
};

// What an operation is for its schedule.
struct Work {
  Operation operation = Operation::kAllReduce;
  int root = 0;
  std::vector<int64_t> rows;  // of each rank's input; elements, where its rows do not matter
  int64_t row_size = 0;       // elements; then 1
  int64_t chunk = 0;          // the most elements in one step; at least 1

  int ranks() const { return static_cast<int>(rows.size()); }
};

// Pure. What two ranks send each other they take in the order in which it was sent, piece by piece; every rank does its
// steps in order, and sending never waits, so that all come to an end.
std::vector<Step> StepsOf(const Work& work, int rank);

// A run of elements of the reduction, or of a rank's input, that the rank's output has.
struct CarriedPiece {
  int rank = 0;  // whose input
  int64_t from = 0;
  int64_t to = 0;
  int64_t count = 0;
};
// Of what its output is made where all of that is there.
std::vector<CarriedPiece> PiecesOf(const Work& work, int rank);

// The rows of the rank's output; -1: it keeps its input.
int64_t OutputRows(const Work& work, int rank);
// The elements of its output: what a rank folds for others counts, too.
int64_t OutputElements(const Work& work, int rank);

}  // namespace twinkle::collective
