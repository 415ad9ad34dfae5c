// How what goes from one machine to another is compressed.
#pragma once

#include <cstdint>

namespace twinkle {

enum class Compression : uint8_t {
  kAuto,  // zstd while that is faster than the bytes themselves, as measured on each connection
  kNone,
  kZstd,  // whatever gets shorter, but for what an idle connection can send at once
};

}  // namespace twinkle
