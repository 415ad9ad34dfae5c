#include "runtime/base/line_folder.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace twinkle::base {

void LineFolder::Tell(Known& known, std::vector<Line>* lines) {
  if (known.held == 1) lines->push_back(known.line);
  if (known.held > 1) lines->push_back({known.line.level, absl::StrCat("… ", known.held, " more: ", known.line.text)});
  known.held = 0;
}

std::vector<LineFolder::Line> LineFolder::Add(Line line, Instant now) {
  std::vector<Line> out;
  std::erase_if(lines_, [&](Known& known) {
    const bool old = now - known.since >= window_ && known.line != line;
    if (old) Tell(known, &out);
    return old;
  });
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Known& one) { return one.line == line; });
  if (found != lines_.end()) {
    ++found->held;
    if (now - found->since >= window_) {
      Tell(*found, &out);
      found->since = now;
    }
    std::rotate(found, found + 1, lines_.end());
    return out;
  }
  if (lines_.size() == known_) {
    Tell(lines_.front(), &out);
    lines_.erase(lines_.begin());
  }
  out.push_back(line);
  lines_.push_back({std::move(line), now, 0});
  return out;
}

std::vector<LineFolder::Line> LineFolder::Rest() {
  std::vector<Line> out;
  for (Known& known : lines_) Tell(known, &out);
  return out;
}

}  // namespace twinkle::base
