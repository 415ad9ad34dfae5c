// A hash that is the same in every process, build and machine.
#pragma once

#include <absl/strings/string_view.h>

#include <cstdint>

namespace twinkle::codec {

// A hash by FNV-1a, 64 bits (Fowler, Noll, Vo). Each text ends with a byte of its own, so that "ab", "c" differs from
// "a", "bc". It is no protection against somebody who wants two things with one hash. For one thread at a time.
class StableHash {
 public:
  void Add(absl::string_view bytes) {
    for (unsigned char byte : bytes) Byte(byte);
    Byte(0xff);
  }
  void Add(uint64_t number) {
    for (int i = 0; i < 8; ++i) Byte(static_cast<unsigned char>(number >> (8 * i)));
  }
  uint64_t value() const { return value_; }

 private:
  void Byte(unsigned char byte) { value_ = (value_ ^ byte) * 1099511628211ULL; }
  uint64_t value_ = 14695981039346656037ULL;
};

}  // namespace twinkle::codec
