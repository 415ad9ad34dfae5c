// The kernel's figures on a process in /proc/PID/stat.
#pragma once

#include <absl/strings/string_view.h>

namespace twinkle::base {

// The fields from the third on, as proc(5) numbers them; the third is the state. The second is the process's name in
// parentheses, which may hold anything. Empty: the text is not the kernel's, or is cut.
inline absl::string_view BehindName(absl::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  return name_end == absl::string_view::npos ? "" : stat.substr(name_end + 2);
}

}  // namespace twinkle::base
