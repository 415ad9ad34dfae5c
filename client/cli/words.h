// What a command's author meant who made a mistake in it.
#pragma once

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace twinkle::cli {

// The word among `known` that differs least from `word`, where that is little enough for a slip: at most two letters,
// and fewer than half of them. Empty: none.
std::string MostLike(absl::string_view word, const std::vector<std::string>& known);

}  // namespace twinkle::cli
