// The port file, in which a driver leaves the port on which it serves.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace twinkle::driver {

// Writes the port and a line end to a file. A regular file, or none, is replaced atomically, so that whoever waits for
// it finds a whole one. A link is followed. Anything else (a terminal, a pipe, /dev/stdout) is written to. A named pipe
// that nobody reads yet is waited for until there is something to read from `end`, which is OK, too. Errors: the
// system's, with the file's name; then nothing is left behind.
absl::Status WritePort(const std::string& file, int port, int end);

}  // namespace twinkle::driver
