#include "runtime/base/say_line.h"

#include <poll.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <string>

#include "runtime/base/cut_text.h"

namespace twinkle::base {
namespace {

constexpr size_t kMostBytes = PIPE_BUF - 64;  // with how much was cut, and the line's end, it is below PIPE_BUF

}  // namespace

// A pipe that has room takes PIPE_BUF bytes at once.
void SayLine(int fd, absl::string_view line) {
  pollfd out{fd, POLLOUT, 0};
  if (::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  const std::string text = CutText(line, kMostBytes) + "\n";
  static_cast<void>(!::write(fd, text.data(), text.size()));
}

}  // namespace twinkle::base
