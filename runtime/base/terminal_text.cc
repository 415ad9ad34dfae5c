#include "runtime/base/terminal_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <cstddef>

namespace twinkle::base {
namespace {

// How long the sequence at the text's beginning is that chooses a colour: ESC [ digits and semicolons m. 0: there is
// none.
size_t ColourLength(absl::string_view text) {
  if (text.substr(0, 2) != "\x1b[") return 0;
  size_t end = 2;
  while (end < text.size() && (absl::ascii_isdigit(static_cast<unsigned char>(text[end])) || text[end] == ';')) ++end;
  return end < text.size() && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::string TerminalText(absl::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (const size_t colour = ColourLength(text.substr(i)); colour > 0) {
      shown.append(text.data() + i, colour);
      i += colour;
      continue;
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      shown += absl::StrFormat("\\x%02x", byte);
    } else {
      shown += text[i];
    }
    ++i;
  }
  return shown;
}

}  // namespace twinkle::base
