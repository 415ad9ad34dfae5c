#include "worker/glance.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "runtime/rpc/fd_channel.h"

namespace twinkle::worker {
namespace {

// The beginning of a file that the kernel makes as it is read; all that is needed stands there.
std::string Read(const std::string& path) {
  std::array<char, 4096> bytes;
  const rpc::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = file.valid() ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  return got > 0 ? std::string(bytes.data(), static_cast<size_t>(got)) : "";
}

// T: by a signal; t: by who traces it.
bool IsStopped(absl::string_view state) { return !state.empty() && (state[0] == 'T' || state[0] == 't'); }

// The third field. The second, a name in parentheses, may have anything in it.
absl::string_view StateIn(absl::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  return name_end == absl::string_view::npos ? "" : stat.substr(name_end + 2, 1);
}

}  // namespace

Glance GlanceAt(pid_t pid, const std::string& proc) {
  const std::string folder = absl::StrCat(proc, "/", pid);
  Glance glance;
  if (!IsStopped(StateIn(Read(folder + "/stat")))) return glance;
  const std::string status = Read(folder + "/status");
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, "State:\t")) glance.stopped = IsStopped(line);
    if (absl::ConsumePrefix(&line, "TracerPid:\t") && !absl::SimpleAtoi(line, &glance.tracer)) return {};
    if (absl::ConsumePrefix(&line, "voluntary_ctxt_switches:\t") && !absl::SimpleAtoi(line, &glance.times_paused)) {
      return {};
    }
  }
  glance.traced = glance.tracer != 0 || absl::StrContains(status, "State:\tt");
  return glance;
}

bool TellsOfOwnPids(const std::string& proc) {
  std::array<char, 32> bytes;
  const ssize_t got = ::readlink((proc + "/self").c_str(), bytes.data(), bytes.size());
  return got > 0 && absl::string_view(bytes.data(), static_cast<size_t>(got)) == absl::StrCat(::getpid());
}

}  // namespace twinkle::worker
