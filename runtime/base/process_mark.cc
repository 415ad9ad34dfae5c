#include "runtime/base/process_mark.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace twinkle::base {
namespace {

// When the process began; 0: there is none, or all of its threads have ended.
uint64_t StartOf(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');  // the name may contain anything
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return 0;
  // As proc(5) numbers them, from the third on: state, …, num_threads (20), …, starttime (22).
  const std::vector<absl::string_view> fields = absl::StrSplit(absl::string_view(text).substr(name_end + 2), ' ');
  uint64_t started = 0;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &started)) return 0;
  // The first thread may have ended before others, which still map everything.
  const bool ended = (fields[0] == "Z" && (fields[17] == "1" || fields[17] == "0")) || fields[0] == "X";
  return ended ? 0 : started;
}

}  // namespace

ProcessMark ProcessMark::Of(int pid) {
  const uint64_t started = pid > 0 ? StartOf(pid) : 0;
  return started == 0 ? ProcessMark{} : ProcessMark{pid, started};
}

bool ProcessMark::HasEnded() const { return pid == 0 || StartOf(pid) != started; }

int ProcessMark::Open() const {
  if (HasEnded()) return -1;
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0 || !HasEnded()) return fd;
  ::close(fd);  // of another process by now
  return -1;
}

}  // namespace twinkle::base
