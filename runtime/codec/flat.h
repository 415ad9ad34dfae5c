// Flat encoding: a value as one string, for places without buffers, such as a field of a service's message or a file.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// Encodes a value as one string, whatever its size. InvalidArgument: a variant without a value, or nested too deep.
template <class T>
absl::StatusOr<std::string> EncodeFlat(T value) {
  absl::StatusOr<Encoded> encoded = Encode(Hold(std::move(value)), nullptr, SIZE_MAX);
  if (!encoded.ok()) return encoded.status();
  return std::move(encoded->head);
}

// Decodes a string of EncodeFlat. Errors as Decode.
template <class T>
absl::StatusOr<T> DecodeFlat(std::string_view bytes) {
  return DecodeAs<T>(bytes, {});
}

}  // namespace twinkle::codec
