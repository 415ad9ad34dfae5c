// Compression of data that goes from one machine to another.
#pragma once

#include <cstdint>

namespace twinkle {

enum class Compression : uint8_t {
  kAuto,  // zstd, while it is faster than sending the bytes as they are; measured on each connection
  kNone,
  kZstd,  // everything that becomes shorter, except what an idle connection can send at once
};

}  // namespace twinkle
