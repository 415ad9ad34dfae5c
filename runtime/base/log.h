// The library's own log: lines to stderr, nothing before Initialize.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

namespace twinkle::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Thread-safe. What a terminal would obey in the message, exceptions' texts say, is written as in C, and further lines
// are set in. The least level that is written is TWINKLE_LOG's (debug, info, warning, error), else warning. Equal
// lines are written once, with how many more came (line_folder.h). Waits for who reads stderr
// only where say_line.h says so.
void Log(LogLevel level, absl::string_view message);

// Writes what is known of equal lines by now; the process's exit does, too. Thread-safe.
void FlushLog();

}  // namespace twinkle::base
