// Names that people give to jobs, groups, components and nodes; and how texts of others are shown.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>

namespace twinkle::base {

inline constexpr size_t kLongestName = 255;  // bytes

// Checks a name. Both the program that gives it and the driver that keeps it do so. InvalidArgument, with `what` ("the
// name of a group") in the text: the name is empty, has more than kLongestName bytes, is no UTF-8, or has a control
// character, which a terminal would take as a command.
absl::Status CheckName(absl::string_view what, absl::string_view name);

// CheckName for a name that is also a file's name: it must not have '/', or be "." or "..".
absl::Status CheckFileName(absl::string_view what, absl::string_view name);

bool IsUtf8(absl::string_view text);

// What Printable leaves to the terminal.
enum class Layout {
  kNone,
  kTabsAndColours,  // tabs, and the escape sequences that choose colours
};

// The text on one line, for a terminal or a log. Control characters and bytes that are no UTF-8 are escaped as in C,
// "\n" and "\x1b". The result is UTF-8 in any case.
std::string Printable(absl::string_view text, Layout stays = Layout::kNone);

// Printable for a text of several lines: the lines stay, and each after the first gets `indent` before it.
std::string PrintableLines(absl::string_view text, absl::string_view indent);

}  // namespace twinkle::base
