#include "runtime/base/bytes_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

namespace twinkle::base {
namespace {

constexpr absl::string_view kUnits = "KMGT";
constexpr double kMost = 9.2e18;

}  // namespace

absl::StatusOr<uint64_t> ParseBytes(absl::string_view text) {
  const auto bad = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no amount of memory: write bytes, or a number with K, M, G or T"));
  };
  const std::string upper = absl::AsciiStrToUpper(absl::StripAsciiWhitespace(text));
  size_t digits = upper.find_first_not_of("0123456789.");
  if (digits == std::string::npos) digits = upper.size();
  double number = 0;
  if (digits == 0 || !absl::SimpleAtod(upper.substr(0, digits), &number)) return bad();
  const std::string unit(absl::StripLeadingAsciiWhitespace(upper.substr(digits)));
  const size_t power = unit.empty() ? absl::string_view::npos : kUnits.find(unit[0]);
  if (power != absl::string_view::npos) {
    const std::string rest = unit.substr(1);
    if (!rest.empty() && rest != "B" && rest != "IB") return bad();
    for (size_t i = 0; i <= power; ++i) number *= 1024;
  } else if (!unit.empty() && unit != "B") {
    return bad();
  }
  if (number > kMost) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is more memory than there can be: at most 8000000T"));
  }
  return static_cast<uint64_t>(number);
}

std::string BytesText(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double number = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (number >= 1024 && unit + 1 < kUnits.size()) {
    number /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %ciB", number, kUnits[unit]);
}

}  // namespace twinkle::base
