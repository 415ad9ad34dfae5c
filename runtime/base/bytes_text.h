// Amounts of memory as text.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>

namespace twinkle::base {

// Parses "4096", "64M" or "1.5GiB". K, M, G and T are powers of 1024, with or without B or iB. InvalidArgument: it is
// no such text.
absl::StatusOr<uint64_t> ParseBytes(absl::string_view text);

// The text of an amount: "0 B", "831 B", "64.0 KiB", "1.5 GiB".
std::string BytesText(uint64_t bytes);

}  // namespace twinkle::base
