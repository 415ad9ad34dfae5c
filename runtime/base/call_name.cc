#include "runtime/base/call_name.h"

#include <absl/strings/str_cat.h>

namespace twinkle::base {

std::string ShortName(absl::string_view class_name) {
  const absl::string_view plain = class_name.substr(0, class_name.find('<'));
  const size_t colon = plain.rfind(':');
  return std::string(colon == absl::string_view::npos ? plain : plain.substr(colon + 1));
}

std::string BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? path : path.substr(slash + 1));
}

std::string CallText(absl::string_view class_name, absl::string_view method, absl::string_view file, int line) {
  return absl::StrCat(ShortName(class_name), ".", method, " [", BaseName(file), ":", line, "]");
}

std::string CallName::text() const {
  return class_name_.empty() ? text_ : CallText(class_name_, method_, file_, line_);
}

}  // namespace twinkle::base
