// Cuts texts to the length that a message between services may carry.
#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>

namespace twinkle::base {

// The longest text of a cause that is sent to others: the text of a user's exception may be of any length.
inline constexpr size_t kMostCauseBytes = 8 << 10;

// The text if it has at most `most` bytes; otherwise its beginning and "… N bytes left out". A character of several
// bytes is not cut in two.
std::string CutText(absl::string_view text, size_t most = kMostCauseBytes);

}  // namespace twinkle::base
