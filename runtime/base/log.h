// The library's log: lines on stderr, none before Initialize.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

namespace twinkle::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Writes a line of the log. Thread-safe. Control characters in the message are escaped as in C, and its further lines
// are indented, since texts of exceptions may hold anything. The environment variable TWINKLE_LOG sets the lowest level
// that is written (debug, info, warning, error); the default is warning. Equal lines are folded (line_folder.h). Waits
// for the reader of stderr only where say_line.h says so.
void Log(LogLevel level, absl::string_view message);

// Writes what the log holds back of equal lines. The process's exit does so, too. Thread-safe.
void FlushLog();

}  // namespace twinkle::base
