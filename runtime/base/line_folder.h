// Equal lines of a log, written once with their number.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/clock.h"

namespace twinkle::base {

// A line that is equal to one of the last `known` different lines is held back and counted, until `window` has passed
// since that one was written. How many were held back is told in one line: when the next line comes after that time (an
// equal one is among them), when the line is not among those known any more, and by Rest. Not thread-safe.
class LineFolder {
 public:
  struct Line {
    int level = 0;
    std::string text;
    bool operator==(const Line&) const = default;
  };

  explicit LineFolder(absl::Duration window = absl::Seconds(10), size_t known = 16) : window_(window), known_(known) {}

  // The lines to write now that this one has come.
  std::vector<Line> Add(Line line, Instant now);
  // What is still held back.
  std::vector<Line> Rest();

 private:
  struct Known {
    Line line;
    Instant since;
    uint64_t held = 0;  // lines
  };
  static void Tell(Known& known, std::vector<Line>* lines);

  const absl::Duration window_;
  const size_t known_;
  std::vector<Known> lines_;  // the one that came longest ago first
};

}  // namespace twinkle::base
