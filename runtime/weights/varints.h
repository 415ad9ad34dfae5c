// Numbers in as few bytes as they need, least significant seven bits first (LEB128).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace twinkle::weights {

inline void PutVarint(std::string* out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

// Small ones of either sign: 0, -1, 1, -2, … are 0, 1, 2, 3, …
inline uint64_t ZigZag(int64_t number) {
  return (static_cast<uint64_t>(number) << 1) ^ static_cast<uint64_t>(number >> 63);
}
inline int64_t UnZigZag(uint64_t coded) { return static_cast<int64_t>(coded >> 1) ^ -static_cast<int64_t>(coded & 1); }

class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return next_ == end_; }
  // False: there is none, or it has more than 64 bits.
  bool Read(uint64_t* number) {
    *number = 0;
    for (int shift = 0; next_ != end_ && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(*next_++);
      *number |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 63 || byte < 2;
    }
    return false;
  }

 private:
  const char* next_;
  const char* const end_;
};

}  // namespace twinkle::weights
