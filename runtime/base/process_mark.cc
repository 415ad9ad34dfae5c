#include "runtime/base/process_mark.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "runtime/base/process_stat.h"

namespace twinkle::base {
namespace {

constexpr uint64_t kEnded = 0;
constexpr uint64_t kUnknown = UINT64_MAX;  // the kernel does not tell now, for example without a free descriptor

// When the process began; kEnded: there is no such process, or all of its threads have ended.
uint64_t StartOf(int pid) {
  const int fd = ::open(absl::StrCat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ESRCH ? kEnded : kUnknown;
  std::array<char, 1024> bytes{};
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  const int failed = errno;
  ::close(fd);  // of another process, which has the number by now
  if (got <= 0) return got < 0 && failed != ESRCH ? kUnknown : kEnded;
  const absl::string_view text(bytes.data(), static_cast<size_t>(got));
  // state (the third), …, num_threads (20), …, starttime (22).
  const std::vector<absl::string_view> fields = absl::StrSplit(BehindName(text), ' ');
  uint64_t started = 0;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &started)) return kUnknown;
  // The first thread may have ended before others, which still map everything.
  const bool ended = (fields[0] == "Z" && (fields[17] == "1" || fields[17] == "0")) || fields[0] == "X";
  return ended ? kEnded : started;
}

}  // namespace

ProcessMark ProcessMark::Of(int pid) {
  const uint64_t started = pid > 0 ? StartOf(pid) : kEnded;
  return started == kEnded || started == kUnknown ? ProcessMark{} : ProcessMark{pid, started};
}

bool ProcessMark::HasEnded() const {
  if (pid == 0) return true;
  const uint64_t now = StartOf(pid);
  return now != started && now != kUnknown;
}

int ProcessMark::Open() const {
  if (HasEnded()) return -1;
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0 || !HasEnded()) return fd;
  ::close(fd);  // of another process by now
  return -1;
}

}  // namespace twinkle::base
