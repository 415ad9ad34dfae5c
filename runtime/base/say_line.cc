#include "runtime/base/say_line.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "runtime/base/cut_text.h"
#include "runtime/base/mutex.h"

namespace twinkle::base {
namespace {

constexpr size_t kMostBytes = PIPE_BUF - 64;  // with the remark on what was cut, and the line end, below PIPE_BUF

// The number of lines left out, by descriptor. Descriptors belong to the process, and so does this.
struct LeftOut {
  Mutex mutex;  // held from the check for room until the room is used
  std::map<int, uint64_t> lines ABSL_GUARDED_BY(mutex);
};

LeftOut& TheLeftOut() {
  static LeftOut& left_out = *new LeftOut;  // never destroyed: threads may outlive static destructors
  return left_out;
}

// Whether there is room for PIPE_BUF bytes at once, and somebody who may read them.
bool HasRoom(int fd) {
  pollfd out{fd, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && out.revents == POLLOUT;
}

// Writes to a terminal through a descriptor of its own, because the given descriptor shares its flags with other
// processes. A terminal that has room for a byte may have none for a line; what does not fit is lost. False: it is no
// terminal, or not one in this file system.
bool WroteToTerminal(int fd, const std::string& text) {
  if (::isatty(fd) == 0) return false;
  const int own = ::open(absl::StrCat("/proc/self/fd/", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own < 0) return false;
  static_cast<void>(!::write(own, text.data(), text.size()));
  ::close(own);
  return true;
}

std::string Lines(uint64_t count) { return count == 1 ? "1 line was" : absl::StrCat(count, " lines were"); }

}  // namespace

void SayLine(int fd, absl::string_view line) {
  LeftOut& left_out = TheLeftOut();
  MutexLock lock(&left_out.mutex);
  const auto before = left_out.lines.find(fd);
  if (!HasRoom(fd)) {
    ++left_out.lines[fd];
    return;
  }
  std::string text(line);
  if (before != left_out.lines.end()) {
    text = absl::StrCat("twinkle: ", Lines(before->second), " left out here, since nobody read them\n", line);
    left_out.lines.erase(before);
  }
  text = CutText(text, kMostBytes) + "\n";
  if (!WroteToTerminal(fd, text)) static_cast<void>(!::write(fd, text.data(), text.size()));
}

}  // namespace twinkle::base
