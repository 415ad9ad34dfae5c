#include "worker/glance.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/process_stat.h"

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

// Reads the beginning of a file of the kernel, which holds all that is needed.
std::string Read(const std::string& path) {
  std::array<char, 4096> bytes;
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = file.valid() ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  return got > 0 ? std::string(bytes.data(), static_cast<size_t>(got)) : "";
}

// Whether the state letter means that the process has ended: Z and X are what is left of a process until its parent has
// waited for it. An empty state: the process is not there, or cannot be read.
bool HasEnded(absl::string_view state) { return state.empty() || state[0] == 'Z' || state[0] == 'X'; }

// Whether the state letter means stopped: T by a signal, t by a tracer.
bool IsStopped(absl::string_view state) { return absl::StartsWithIgnoreCase(state, "t"); }

// The value of field `name` in a status file; empty: there is no such field.
absl::string_view Field(absl::string_view status, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, name)) return absl::StripLeadingAsciiWhitespace(line);
  }
  return "";
}

// The context switches of all threads in the folder `tasks`. A thread that has ended, or cannot be read, counts as 0.
uint64_t TimesPaused(const std::string& tasks) {
  uint64_t all = 0;
  std::error_code error;
  for (fs::directory_iterator task(tasks, error), end; !error && task != end; task.increment(error)) {
    uint64_t times = 0;
    const std::string status = Read(task->path() / "status");
    if (absl::SimpleAtoi(Field(status, "voluntary_ctxt_switches:"), &times)) all += times;
  }
  return all;
}

// The first thread's status, and the context switches of all threads.
std::optional<Glance> GlanceAtStopped(const std::string& folder) {
  Glance glance;
  const std::string status = Read(folder + "/status");
  const absl::string_view state = Field(status, "State:");
  if (HasEnded(state) || !absl::SimpleAtoi(Field(status, "TracerPid:"), &glance.tracer)) return std::nullopt;
  glance.stopped = IsStopped(state);
  glance.traced = glance.tracer != 0 || absl::StartsWith(state, "t");
  glance.times_paused = TimesPaused(folder + "/task");
  return glance;
}

}  // namespace

std::optional<Glance> GlanceAt(pid_t pid, const std::string& proc) {
  const std::string folder = absl::StrCat(proc, "/", pid);
  const std::string stat = Read(folder + "/stat");
  const absl::string_view state = base::BehindName(stat);
  if (HasEnded(state)) return std::nullopt;
  if (!IsStopped(state)) return Glance{};
  return GlanceAtStopped(folder);
}

bool GoesOn(pid_t pid, const std::string& proc) {
  constexpr size_t kFlags = 9 - 3;  // the ninth field, of those from the third on
  constexpr uint32_t kExiting = 4;  // PF_EXITING of linux/sched.h
  const std::string stat = Read(absl::StrCat(proc, "/", pid, "/stat"));
  const std::vector<absl::string_view> fields = absl::StrSplit(base::BehindName(stat), ' ');
  uint32_t flags = 0;
  if (HasEnded(fields[0]) || fields.size() <= kFlags || !absl::SimpleAtoi(fields[kFlags], &flags)) return false;
  return (flags & kExiting) == 0;
}

bool TellsOfOwnPids(const std::string& proc) {
  std::array<char, 32> bytes;
  const ssize_t got = ::readlink((proc + "/self").c_str(), bytes.data(), bytes.size());
  return got > 0 && absl::string_view(bytes.data(), static_cast<size_t>(got)) == absl::StrCat(::getpid());
}

}  // namespace twinkle::worker
