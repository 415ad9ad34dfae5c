// Lists of words as a sentence has them.
#pragma once

#include <span>
#include <string>

namespace twinkle::base {

// "a", "a and b", "a, b and c"; empty for an empty list.
std::string ListText(std::span<const std::string> words);

}  // namespace twinkle::base
