// Names that people give to jobs, groups, components and nodes, and how texts of others are shown.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>

namespace twinkle::base {

inline constexpr size_t kLongestName = 255;  // bytes

// Names are checked where they enter: by the program that gives them, and by the driver that keeps them.
// InvalidArgument, with `what` ("the name of a group") in the text: it has no byte or more than kLongestName, is no
// UTF-8, or has a control character, which a terminal would take as a command.
absl::Status CheckName(absl::string_view what, absl::string_view name);

// The same for a name that is also that of a file: besides, no '/', and not "." or "..".
absl::Status CheckFileName(absl::string_view what, absl::string_view name);

bool IsUtf8(absl::string_view text);

// What of a text is left to the terminal.
enum class Layout {
  kNone,
  kTabsAndColours,  // tabs, and the sequences that choose colours
};

// The text on one line, for a terminal or a log: control characters and bytes that are no UTF-8 are written as in C,
// "\n" and "\x1b". UTF-8 in any case.
std::string Printable(absl::string_view text, Layout stays = Layout::kNone);

// The same for a text of several lines: they stay, each after the first with `indent` before it.
std::string PrintableLines(absl::string_view text, absl::string_view indent);

}  // namespace twinkle::base
