// Encoding a value that may turn out to be too large to be sent along.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

struct Sized {
  uint64_t bytes = 0;              // of the encoded value, kept or not
  std::optional<Encoded> encoded;  // there when these are within the limit
};

// The value encoded, if that takes no more than `limit` bytes. Otherwise it is counted, in memory of a few KiB or of
// the limit. Errors as for Encode.
absl::StatusOr<Sized> EncodeWithin(const Described& value, uint64_t limit);

}  // namespace twinkle::codec
