#include "runtime/weights/names.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

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

uint32_t NameWriter::TextOf(std::string_view name) {
  std::string text;
  numbers_.clear();
  for (size_t at = 0; at < name.size();) {
    const size_t digits = DigitsAt(name, at);
    if (digits == 0) {
      text.push_back(name[at++]);
      continue;
    }
    const std::string_view number = name.substr(at, digits);
    if (IsNumber(number) && numbers_.size() < kMostGaps) {
      numbers_.push_back(ValueOf(number));
      text.push_back(kGap);
    } else {
      text.append(number);
    }
    at += digits;
  }
  const auto [known, added] = known_.emplace(text, static_cast<uint32_t>(texts_.size()));
  text_ = known->second;
  if (added) {
    texts_.push_back(std::move(text));
    last_.emplace_back(numbers_.size(), 0);
  }
  return text_;
}

void NameWriter::WriteNumbers(std::string* out) {
  std::vector<int64_t>& last = last_[text_];
  for (size_t i = 0; i < numbers_.size(); ++i) PutVarint(out, ZigZag(numbers_[i] - last[i]));
  last = numbers_;
}

NameReader::NameReader(const std::vector<std::string>& texts) : texts_(texts) {
  for (const std::string& text : texts) {
    last_.emplace_back(static_cast<size_t>(std::count(text.begin(), text.end(), kGap)), 0);
  }
}

bool NameReader::Read(uint64_t text, VarintReader& in, std::string* names) {
  if (text >= texts_.size()) return false;
  std::vector<int64_t>& last = last_[text];
  size_t gap = 0;
  const size_t begin = names->size();
  for (const char c : texts_[text]) {
    if (c != kGap) {
      names->push_back(c);
      continue;
    }
    uint64_t difference = 0;
    if (!in.Read(&difference)) return false;
    int64_t& number = last[gap++];
    if (__builtin_add_overflow(number, UnZigZag(difference), &number) || number < 0) return false;
    absl::StrAppend(names, number);
  }
  return names->size() - begin <= kMostNameBytes;
}

}  // namespace twinkle::weights
