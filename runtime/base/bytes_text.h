// Amounts of memory as people write them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>

namespace twinkle::base {

// "4096", "64M", "1.5GiB": K, M, G and T stand for powers of 1024, with or without B or iB. InvalidArgument.
absl::StatusOr<uint64_t> ParseBytes(absl::string_view text);

// "0 B", "831 B", "64.0 KiB", "1.5 GiB"
std::string BytesText(uint64_t bytes);

}  // namespace twinkle::base
