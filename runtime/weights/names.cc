#include "runtime/weights/names.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace twinkle::weights {
namespace {

constexpr char kGap = '\x01';       // in a text: here stands a number
constexpr size_t kMostDigits = 18;  // that an int64 surely has
constexpr size_t kMostGaps = 64;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A number whose text follows from its value.
bool IsNumber(std::string_view digits) {
  return digits.size() <= kMostDigits && (digits.size() == 1 || digits.front() != '0');
}

size_t DigitsAt(std::string_view name, size_t begin) {
  size_t end = begin;
  while (end < name.size() && IsDigit(name[end])) ++end;
  return end - begin;
}

int64_t ValueOf(std::string_view digits) {
  int64_t value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

}  // namespace

absl::Status CheckName(std::string_view name) {
  const bool printable = std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kMostNameBytes && printable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no tensor is called '", absl::CHexEscape(std::string(name.substr(0, 64))), "': a name has 1 to ",
                   kMostNameBytes, " bytes and no control characters"));
}

uint32_t NameTexts::Split(std::string_view name, std::vector<int64_t>* numbers) {
  text_.clear();
  numbers->clear();
  for (size_t at = 0; at < name.size();) {
    const size_t digits = DigitsAt(name, at);
    if (digits == 0) {
      text_.push_back(name[at++]);
      continue;
    }
    const std::string_view number = name.substr(at, digits);
    if (IsNumber(number) && numbers->size() < kMostGaps) {
      numbers->push_back(ValueOf(number));
      text_.push_back(kGap);
    } else {
      text_.append(number);
    }
    at += digits;
  }
  const auto [known, added] = known_.emplace(text_, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(text_);
  return known->second;
}

size_t GapsOf(std::string_view text) { return static_cast<size_t>(std::count(text.begin(), text.end(), kGap)); }

bool AppendName(std::string_view text, std::span<const int64_t> numbers, std::string* names) {
  const size_t begin = names->size();
  for (const int64_t number : numbers) {
    if (number < 0) return false;
    const size_t gap = text.find(kGap);
    names->append(text.substr(0, gap));
    std::array<char, kMostDigits + 2> digits;
    names->append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
    text.remove_prefix(gap + 1);
  }
  names->append(text);
  return names->size() - begin <= kMostNameBytes;
}

}  // namespace twinkle::weights
