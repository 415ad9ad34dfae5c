#include "runtime/base/cut_text.h"

#include <absl/strings/str_cat.h>

namespace twinkle::base {

std::string CutText(absl::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  const auto continues = [&](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U; };
  size_t end = most;
  while (end > 0 && most - end < 3 && continues(end)) --end;
  return absl::StrCat(text.substr(0, end), "… ", text.size() - end, " bytes left out");
}

}  // namespace twinkle::base
