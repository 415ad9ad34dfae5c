// Values as one string, for carriers that have room for a head and no buffers: a field of a service's message, a file.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// The whole value, whatever its size: no part of it becomes a buffer. InvalidArgument: a variant without a value.
template <class T>
absl::StatusOr<std::string> EncodeFlat(T value) {
  absl::StatusOr<Encoded> encoded = Encode(Hold(std::move(value)), nullptr, SIZE_MAX);
  if (!encoded.ok()) return encoded.status();
  return std::move(encoded->head);
}

// What EncodeFlat gave. Errors as Decode.
template <class T>
absl::StatusOr<T> DecodeFlat(std::string_view bytes) {
  return DecodeAs<T>(bytes, {});
}

}  // namespace twinkle::codec
