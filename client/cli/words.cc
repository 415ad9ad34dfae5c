#include "client/cli/words.h"

#include <algorithm>
#include <utility>

namespace twinkle::cli {
namespace {

// Levenshtein's distance: the number of letters to insert, leave out or change.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string ClosestWord(absl::string_view word, const std::vector<std::string>& known) {
  std::string most_like;
  size_t least = 3;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(word, candidate);
    if (distance >= least || 2 * distance >= std::max(word.size(), candidate.size())) continue;
    least = distance;
    most_like = candidate;
  }
  return most_like;
}

}  // namespace twinkle::cli
