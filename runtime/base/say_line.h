// Lines of a service to the people who run it.
#pragma once

#include <absl/strings/string_view.h>

namespace twinkle::base {

// Writes the line, and its end, to a descriptor: a file, a terminal, a pipe. A pipe that nobody reads, or a terminal
// that is stopped, holds up nobody: a line that it has no room for is left out. What is above PIPE_BUF is cut. For
// descriptors to which one thread writes at a time.
void SayLine(int fd, absl::string_view line);

}  // namespace twinkle::base
