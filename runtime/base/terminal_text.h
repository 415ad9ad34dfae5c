// What ranks print, for a terminal.
#pragma once

#include <absl/strings/string_view.h>

#include <string>

namespace twinkle::base {

// The text without what a terminal would obey: control characters are shown as "\\x1b". Tabs stay, and so do the
// sequences that choose colours.
std::string TerminalText(absl::string_view text);

}  // namespace twinkle::base
