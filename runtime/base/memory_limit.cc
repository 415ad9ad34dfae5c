#include "runtime/base/memory_limit.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace twinkle::base {
namespace {

// UINT64_MAX where there is no such file, or it says "max".
uint64_t LimitIn(const std::string& file) {
  uint64_t bytes = 0;
  return std::ifstream(file) >> bytes && bytes > 0 ? bytes : UINT64_MAX;
}

// Of the group at `path` below `root` and of all above it. In a container the path may be one that is not seen there:
// then its root is the container's own group.
uint64_t LeastUpwards(const std::string& root, absl::string_view path, absl::string_view file) {
  uint64_t least = LimitIn(absl::StrCat(root, "/", file));
  while (!path.empty() && path != "/") {
    least = std::min(least, LimitIn(absl::StrCat(root, path, "/", file)));
    path = path.substr(0, path.rfind('/'));
  }
  return least;
}

}  // namespace

uint64_t MemoryLimit(const std::string& groups, const std::string& mount) {
  uint64_t least = std::min(LeastUpwards(mount, "", "memory.max"),
                            LeastUpwards(absl::StrCat(mount, "/memory"), "", "memory.limit_in_bytes"));
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {  // HIERARCHY:CONTROLLERS:PATH
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3 || !(parts[2].empty() || parts[2][0] == '/')) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    if (parts[1].empty()) {
      least = std::min({least, LeastUpwards(mount, parts[2], "memory.max"),
                        LeastUpwards(absl::StrCat(mount, "/unified"), parts[2], "memory.max")});
    } else if (std::find(controllers.begin(), controllers.end(), "memory") != controllers.end()) {
      least = std::min(least, LeastUpwards(absl::StrCat(mount, "/memory"), parts[2], "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace twinkle::base
