// What the kernel says of a process in /proc/PID/stat.
#pragma once

#include <absl/strings/string_view.h>

namespace twinkle::base {

// The fields from the third on, as proc(5) numbers them: the state is the first of these. The second, the process's
// name in parentheses, may have anything in it. Empty: the text is none of the kernel's, or cut before them.
inline absl::string_view BehindName(absl::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  return name_end == absl::string_view::npos ? "" : stat.substr(name_end + 2);
}

}  // namespace twinkle::base
