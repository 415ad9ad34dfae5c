// The file in which a driver leaves the port that it serves on.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace twinkle::driver {

// Writes the port and a line's end. A regular file, or none, is replaced at once: who waits for it finds a whole one. A
// link is followed. What is something else (a terminal, a pipe, /dev/stdout) stays what it is and is written to; where
// nobody reads a pipe with a name yet, this waits for a reader until there is something to read from `end`, and is OK
// then, too. Else the error of the system, with the file's name; nothing is left behind then.
absl::Status WritePort(const std::string& file, int port, int end);

}  // namespace twinkle::driver
