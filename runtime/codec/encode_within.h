// Encoding within a limit: for a value that may be too large to be sent along with a reply.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// A value that was encoded, or only counted.
struct Sized {
  uint64_t bytes = 0;              // encoded size
  std::optional<Encoded> encoded;  // present if the size is within the limit
};

// Encodes a value if that takes at most `limit` bytes. Otherwise it is only counted, with memory of a few KiB or of the
// limit. Errors as Encode.
absl::StatusOr<Sized> EncodeWithin(const Described& value, uint64_t limit);

}  // namespace twinkle::codec
