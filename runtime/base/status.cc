#include "runtime/base/status.h"

#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

namespace twinkle::base {
absl::Status Refuse(absl::string_view reason, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(message, " [", reason, "]"));
}

// The reason is no payload: payloads are printed with every status, and the message has it already.
std::string ReasonOf(const absl::Status& status) {
  const absl::string_view message = status.message();
  const size_t begin = message.rfind('[');
  if (!absl::IsInvalidArgument(status) || begin == absl::string_view::npos || message.back() != ']') return "";
  const absl::string_view reason = message.substr(begin + 1, message.size() - begin - 2);
  const bool is_name =
      std::all_of(reason.begin(), reason.end(), [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
  return is_name ? std::string(reason) : "";
}

std::string Brief(const absl::Status& status) {
  return status.ok() ? "OK" : absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace twinkle::base
