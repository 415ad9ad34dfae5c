// Guesses which word a user meant who has mistyped one.
#pragma once

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace twinkle::cli {

// The word in `known` that is closest to `word`, if the difference is small enough for a slip: at most two letters, and
// fewer than half of them. Empty: no word is.
std::string ClosestWord(absl::string_view word, const std::vector<std::string>& known);

}  // namespace twinkle::cli
