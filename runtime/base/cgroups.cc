#include "runtime/base/cgroups.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace twinkle::base {
namespace {

// Adds the group at `path` below `root`, and all groups above it. In a container the path may not be visible. Then
// `root`, which comes last, is the container's own group.
void AddUpwards(const std::string& root, absl::string_view path, std::vector<std::string>* folders) {
  while (!path.empty() && path != "/") {
    folders->push_back(absl::StrCat(root, path));
    path = path.substr(0, path.rfind('/'));
  }
  folders->push_back(root);
}

}  // namespace

std::vector<std::string> CgroupFolders(const std::string& groups, const std::string& mount,
                                       absl::string_view controller) {
  const std::string first_version = absl::StrCat(mount, "/", controller);
  std::vector<std::string> folders;
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {  // HIERARCHY:CONTROLLERS:PATH
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3 || !(parts[2].empty() || parts[2][0] == '/')) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    if (parts[1].empty()) {
      AddUpwards(mount, parts[2], &folders);
      AddUpwards(absl::StrCat(mount, "/unified"), parts[2], &folders);
    } else if (std::find(controllers.begin(), controllers.end(), controller) != controllers.end()) {
      AddUpwards(first_version, parts[2], &folders);
    }
  }
  folders.insert(folders.end(), {mount, first_version});
  return folders;
}

std::vector<PidsLimit> PidsLimits() {
  std::vector<PidsLimit> limits;
  for (std::string& folder : CgroupFolders("/proc/self/cgroup", "/sys/fs/cgroup", "pids")) {
    PidsLimit limit;
    if (!(std::ifstream(folder + "/pids.max") >> limit.most)) continue;  // none, or "max"
    std::ifstream(folder + "/pids.current") >> limit.in_use;
    limit.folder = std::move(folder);
    limits.push_back(std::move(limit));
  }
  return limits;
}

}  // namespace twinkle::base
