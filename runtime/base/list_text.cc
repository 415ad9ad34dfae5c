#include "runtime/base/list_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

namespace twinkle::base {

std::string ListText(std::span<const std::string> words) {
  if (words.size() < 2) return absl::StrJoin(words.begin(), words.end(), "");
  return absl::StrCat(absl::StrJoin(words.begin(), words.end() - 1, ", "), " and ", words.back());
}

}  // namespace twinkle::base
