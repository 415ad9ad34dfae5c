// Folds equal lines of a log: they are written once, with their number.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/clock.h"

namespace twinkle::base {

// Decides which lines of a log are written. A line that equals one of the last `known` different lines is held back and
// counted until `window` has passed since that line was written. One line then says how many were held back. It comes
// with the next line after that time (an equal line is counted, too), when the line is no longer among the known ones,
// and from Rest. For one thread at a time.
class LineFolder {
 public:
  struct Line {
    int level = 0;
    std::string text;
    bool operator==(const Line&) const = default;
  };

  explicit LineFolder(absl::Duration window = absl::Seconds(10), size_t known = 16) : window_(window), known_(known) {}

  // The lines to write now that `line` has come.
  std::vector<Line> Add(Line line, Instant now);
  // The lines that report what is still held back.
  std::vector<Line> Rest();

 private:
  struct Known {
    Line line;
    Instant since;
    uint64_t held = 0;  // number of lines held back
  };
  static void Tell(Known& known, std::vector<Line>* lines);

  const absl::Duration window_;
  const size_t known_;
  std::vector<Known> lines_;  // the oldest first
};

}  // namespace twinkle::base
