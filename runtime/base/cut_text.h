// Texts of any length, cut to what a message between services may carry.
#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>

namespace twinkle::base {

// Of a cause that is told to others: what a user's exception says may be as long as it likes.
inline constexpr size_t kMostCauseBytes = 8 << 10;

// The text, if it has no more than that many bytes; else its beginning and "… N bytes left out". A character of several
// bytes is not cut in two.
std::string CutText(absl::string_view text, size_t most = kMostCauseBytes);

}  // namespace twinkle::base
