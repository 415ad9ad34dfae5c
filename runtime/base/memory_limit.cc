#include "runtime/base/memory_limit.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <fstream>

#include "runtime/base/cgroups.h"

namespace twinkle::base {
namespace {

// The limit in a file; UINT64_MAX: there is no such file, or it says "max".
uint64_t LimitIn(const std::string& file) {
  uint64_t bytes = 0;
  return std::ifstream(file) >> bytes && bytes > 0 ? bytes : UINT64_MAX;
}

}  // namespace

uint64_t MemoryLimit(const std::string& groups, const std::string& mount) {
  uint64_t least = UINT64_MAX;
  for (const std::string& folder : CgroupFolders(groups, mount, "memory")) {
    least = std::min(
        {least, LimitIn(absl::StrCat(folder, "/memory.max")), LimitIn(absl::StrCat(folder, "/memory.limit_in_bytes"))});
  }
  return least;
}

}  // namespace twinkle::base
