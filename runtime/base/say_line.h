// Lines of a process to the people who run it.
#pragma once

#include <absl/strings/string_view.h>

namespace twinkle::base {

// Writes the line, and its end, to a descriptor: a file, a terminal, a pipe. A pipe that nobody reads, or a terminal
// that is stopped, holds up nobody: a line that it has no room for is left out, and the next one for which there is
// room says how many were. What is above PIPE_BUF is cut. Thread-safe; who else writes to the same pipe at the same
// moment may still take the room.
void SayLine(int fd, absl::string_view line);

}  // namespace twinkle::base
