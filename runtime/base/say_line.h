// Writes a process's lines to the people who run it.
#pragma once

#include <absl/strings/string_view.h>

namespace twinkle::base {

// Writes a line with its line end to a descriptor: a file, a terminal or a pipe. Does not wait for a pipe that nobody
// reads, or a terminal that is stopped: a line for which there is no room is left out, and the next line that has room
// says how many were. Text beyond PIPE_BUF is cut. Thread-safe. Another writer of the same pipe may still take the room
// at the same moment.
void SayLine(int fd, absl::string_view line);

}  // namespace twinkle::base
