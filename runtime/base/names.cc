#include "runtime/base/names.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <cstdint>
#include <vector>

namespace twinkle::base {
namespace {

constexpr uint32_t kNoCharacter = 0xffffffff;

// The length of a UTF-8 sequence that begins with this byte; 0: none does.
size_t LengthOf(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

// The character at the text's beginning, and its length in bytes (RFC 3629: the shortest form, no surrogates). For a
// byte that begins no character: kNoCharacter and 1.
uint32_t FirstCharacter(absl::string_view text, size_t* length) {
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t wanted = LengthOf(static_cast<unsigned char>(text[0]));
  *length = 1;
  if (wanted == 1) return static_cast<unsigned char>(text[0]);
  if (wanted == 0 || text.size() < wanted) return kNoCharacter;
  uint32_t character = static_cast<unsigned char>(text[0]) & (0x7fU >> wanted);
  for (size_t i = 1; i < wanted; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) != 0x80U) return kNoCharacter;
    character = character << 6 | (byte & 0x3fU);
  }
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (character < kLeast[wanted] || character > 0x10ffff || surrogate) return kNoCharacter;
  *length = wanted;
  return character;
}

// Whether it is a control character (C0, CA1), or one that changes the direction of the text after it.
bool IsControl(uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) || (character >= 0x202a && character <= 0x202e) ||
         (character >= 0x2066 && character <= 0x2069);
}

// The length of a tab or a colour sequence at the text's beginning: ESC [ digits and semicolons m.
size_t LayoutLength(absl::string_view text) {
  if (text[0] == '\t') return 1;
  if (text.substr(0, 2) != "\x1b[") return 0;
  const size_t end = text.find_first_not_of("0123456789;", 2);
  return end != absl::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

void AppendVisible(absl::string_view bytes, std::string* text) {
  for (const char byte : bytes) {
    switch (byte) {
      case '\n':
        *text += "\\n";
        break;
      case '\t':
        *text += "\\t";
        break;
      case '\r':
        *text += "\\r";
        break;
      default:
        absl::StrAppendFormat(text, "\\x%02x", static_cast<unsigned char>(byte));
    }
  }
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  size_t length = 0;
  for (; !text.empty(); text.remove_prefix(length)) {
    if (FirstCharacter(text, &length) == kNoCharacter) return false;
  }
  return true;
}

std::string Printable(absl::string_view text, Layout stays) {
  std::string shown;
  shown.reserve(text.size());
  size_t length = 0;
  for (; !text.empty(); text.remove_prefix(length)) {
    const uint32_t character = FirstCharacter(text, &length);
    const size_t layout = stays == Layout::kNone ? 0 : LayoutLength(text);
    if (layout > 0) {
      length = layout;
      shown.append(text.data(), length);
    } else if (character == kNoCharacter || IsControl(character)) {
      AppendVisible(text.substr(0, length), &shown);
    } else {
      shown.append(text.data(), length);
    }
  }
  return shown;
}

std::string PrintableLines(absl::string_view text, absl::string_view indent) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) lines.push_back(Printable(line));
  return absl::StrJoin(lines, absl::StrCat("\n", indent));
}

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(what, ", '", Printable(name.substr(0, kLongestName)), "', ", why));
  };
  if (name.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " is empty"));
  if (name.size() > kLongestName) {
    return bad(absl::StrCat("has ", name.size(), " bytes: at most ", kLongestName, " are allowed"));
  }
  size_t length = 0;
  for (absl::string_view rest = name; !rest.empty(); rest.remove_prefix(length)) {
    const uint32_t character = FirstCharacter(rest, &length);
    if (character == kNoCharacter) return bad("is no UTF-8");
    if (IsControl(character)) return bad("has a control character in it");
  }
  return absl::OkStatus();
}

absl::Status CheckFileName(absl::string_view what, absl::string_view name) {
  if (absl::Status bad = CheckName(what, name); !bad.ok()) return bad;
  if (name != "." && name != ".." && name.find('/') == absl::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ", '", name, "', is also that of files: it must not have '/' in it, nor be '.' or '..'"));
}

}  // namespace twinkle::base
