#include "worker/rank_cgroups.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace twinkle::worker {
namespace {

namespace fs = std::filesystem;

constexpr char kFolderPrefix[] = "twinkle-";

// Writes `text` to a file; false: not all of it was taken.
bool Put(const std::string& file, absl::string_view text) {
  const base::Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Where the hierarchy is mounted, and which of its groups is the root there.
std::pair<std::string, std::string> Mounted() {
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> halves = absl::StrSplit(line, " - ");
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (halves.size() == 2 && absl::StartsWith(halves[1], "cgroup2 ") && words.size() > 4) return {words[4], words[3]};
  }
  return {};
}

// The calling process's own group, as the kernel names it.
std::string OwnGroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "0::")) return line.substr(3);
  }
  return {};
}

bool IsMarked(const std::string& folder) {
  for (const char* const name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

void RemoveTree(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_directory(ignored)) RemoveTree(entry.path());
  }
  ::rmdir(folder.c_str());  // fails while there are processes in it
}

void EndTree(const std::string& folder) {
  KillCgroup(folder);
  RemoveTree(folder);
}

// Locks a folder for as long as the descriptor is open. The lock ends with the processes that hold it, in whatever PID
// namespace they are. Not valid: another spawner has locked it, or it is not there.
base::Fd Lock(const std::string& folder) {
  base::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return fd;
}

}  // namespace

std::string DelegatedCgroup() {
  const auto [mount, root] = Mounted();
  std::string group = OwnGroup();
  if (mount.empty() || group.empty()) return {};
  if (root != "/") group = std::string(absl::StripPrefix(group, root));
  std::string folder = group == "/" ? mount : mount + group;
  if (::access((folder + "/cgroup.procs").c_str(), W_OK) != 0) return {};
  if (::geteuid() != 0) return folder;
  for (fs::path above = folder; above != fs::path(mount).parent_path(); above = above.parent_path()) {
    if (IsMarked(above)) return folder;
  }
  return {};
}

absl::Status CheckCgroup(const std::string& folder) {
  if (folder.empty()) return absl::InvalidArgumentError("is the folder of a control group, auto or none, not ''");
  for (const std::string& path : {folder, folder + "/cgroup.procs"}) {
    if (::access(path.c_str(), W_OK) == 0) continue;
    return absl::ErrnoToStatus(errno, absl::StrCat("'", folder, "' is no control group (version 2) in which groups ",
                                                   "can be made: ", path, " cannot be written"));
  }
  return absl::OkStatus();
}

RankCgroups::RankCgroups(const std::string& parent) {
  if (parent.empty()) return;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!absl::StartsWith(entry.path().filename().string(), kFolderPrefix)) continue;
    if (const base::Fd lock = Lock(entry.path().string()); lock.valid()) RemoveTree(entry.path());
  }
  const std::string folder = CgroupsOf(parent, ::getpid());
  if (::mkdir(folder.c_str(), 0755) != 0) return;
  lock_ = Lock(folder);
  // A spawner that began at the same moment may have removed the folder as a leftover.
  if (lock_.valid() && ::access(folder.c_str(), F_OK) == 0) folder_ = folder;
}

std::string RankCgroups::FolderOf(uint64_t key) const {
  return folder_.empty() ? std::string() : absl::StrCat(folder_, "/process-", key);
}

std::string RankCgroups::Make(uint64_t key) {
  const std::string folder = FolderOf(key);
  return ::mkdir(folder.c_str(), 0755) == 0 ? folder : std::string();
}

void RankCgroups::Kill(uint64_t key) const { KillCgroup(FolderOf(key)); }

void RankCgroups::Remove(uint64_t key) const { RemoveCgroup(FolderOf(key)); }

void RankCgroups::EndAll() {
  if (!folder_.empty()) EndTree(folder_);
}

std::string CgroupsOf(const std::string& parent, pid_t spawner) {
  return parent.empty() ? std::string() : absl::StrCat(parent, "/", kFolderPrefix, spawner);
}

void EndForsakenCgroups(const std::string& folder) {
  if (const base::Fd lock = Lock(folder); lock.valid()) EndTree(folder);
}

void EnterCgroup(const std::string& folder) {
  if (!folder.empty()) Put(folder + "/cgroup.procs", "0");
}

void KillCgroup(const std::string& folder) {
  if (!folder.empty()) Put(folder + "/cgroup.kill", "1");
}

void RemoveCgroup(const std::string& folder) {
  if (!folder.empty()) ::rmdir(folder.c_str());
}

}  // namespace twinkle::worker
