#include "runtime/base/say_line.h"

#include <absl/strings/str_cat.h>
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

constexpr size_t kMostBytes = PIPE_BUF - 64;  // with how much was cut, and the line's end, it is below PIPE_BUF

// A descriptor is the process's: so is what was left out of it.
struct LeftOut {
  Mutex mutex;  // held from the look for room until it is used
  std::map<int, uint64_t> lines ABSL_GUARDED_BY(mutex);
};

LeftOut& TheLeftOut() {
  static LeftOut& left_out = *new LeftOut;  // never destroyed: threads may outlive static destructors
  return left_out;
}

// For PIPE_BUF bytes at once, and somebody who may read them.
bool HasRoom(int fd) {
  pollfd out{fd, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && out.revents == POLLOUT;
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
  static_cast<void>(!::write(fd, text.data(), text.size()));
}

}  // namespace twinkle::base
