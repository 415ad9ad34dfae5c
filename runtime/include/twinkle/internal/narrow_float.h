// Conversions between float and the formats of 8 and 16 bits, which differ in their fields and in what they have of
// infinity and nan. Numbers are rounded to the nearest, ties to even.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace twinkle::internal {

// What a format has in place of some of its numbers.
enum class Specials : uint8_t {
  kInfinityAndNan,  // as IEEE 754 has it: the largest exponent
  kNan,             // "fn": nan is all bits but the sign's; there is no infinity
  kNanIsMinusZero,  // "fnuz": nan is the pattern of -0; there is neither an infinity nor a -0
  kPowersOfTwo,     // "fnu": no sign, no zero, no mantissa; nan is all bits
};

struct FloatFormat {
  int exponent_bits = 8;
  int mantissa_bits = 23;
  Specials specials = Specials::kInfinityAndNan;

  constexpr int bias() const {
    const int half = 1 << (exponent_bits - 1);
    return specials == Specials::kNanIsMinusZero ? half : half - 1;
  }
  constexpr uint32_t sign_bit() const { return 1U << (exponent_bits + mantissa_bits); }
  // The first pattern without the sign's bit that is no finite number.
  constexpr uint32_t beyond() const {
    if (specials == Specials::kInfinityAndNan) return sign_bit() - (1U << mantissa_bits);
    return specials == Specials::kNanIsMinusZero ? sign_bit() : sign_bit() - 1;
  }
};

constexpr uint32_t kFloatInfinity = 0x7f800000;
constexpr uint32_t kFloatNan = 0x7fc00000;
constexpr uint32_t kFloatMantissa = 0x007fffff;

// number / 2^shift.
constexpr uint32_t RoundedShift(uint32_t number, int shift) {
  return (number + (1U << (shift - 1)) - 1 + ((number >> shift) & 1)) >> shift;
}

// The pattern of what is nearest to a float's `magnitude`, as if the format's exponents had no end.
template <FloatFormat format>
constexpr uint32_t RoundedMagnitude(uint32_t magnitude) {
  constexpr int kShift = 23 - format.mantissa_bits;
  constexpr int kLower = 127 - format.bias();  // exponents that a float has below the format's
  if (magnitude >= uint32_t{kLower + 1} << 23) return RoundedShift(magnitude - (uint32_t{kLower} << 23), kShift);
  const uint32_t exponent = magnitude >> 23;
  const uint32_t mantissa = (magnitude & kFloatMantissa) | (exponent == 0 ? 0 : kFloatMantissa + 1);
  const int further = kLower + 1 - std::max(static_cast<int>(exponent), 1);  // the format's subnormal numbers
  return RoundedShift(mantissa, std::min(kShift + further, 31));
}

// Halfway between two powers of two is the larger one; what is no positive number becomes nan.
constexpr uint32_t NearestPowerOfTwo(uint32_t whole) {
  if (whole == 0 || whole >= kFloatInfinity) return 0xff;
  if (whole < 0x00600000) return 0;  // 1.5 times the least, 2^-127
  return (whole + 0x00400000) >> 23;
}

template <FloatFormat format>
constexpr uint32_t Narrowed(float value) {
  const uint32_t whole = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = whole & ~(1U << 31);
  if constexpr (format.specials == Specials::kPowersOfTwo) {
    return NearestPowerOfTwo(whole);
  } else if constexpr (format.specials == Specials::kNanIsMinusZero) {
    const uint32_t rounded = RoundedMagnitude<format>(std::min(magnitude, kFloatInfinity));
    if (rounded == 0) return 0;
    if (rounded >= format.beyond()) return format.sign_bit();
    return rounded | (whole >> 31) * format.sign_bit();
  } else {
    const uint32_t sign = (whole >> 31) * format.sign_bit();
    if (format.specials == Specials::kInfinityAndNan && magnitude > kFloatInfinity) {
      const uint32_t payload = (magnitude & kFloatMantissa) >> (23 - format.mantissa_bits);
      return sign | format.beyond() | payload | 1U << (format.mantissa_bits - 1);
    }
    return sign | std::min(RoundedMagnitude<format>(std::min(magnitude, kFloatInfinity)), format.beyond());
  }
}

template <FloatFormat format>
constexpr float Widened(uint32_t bits) {
  constexpr int kShift = 23 - format.mantissa_bits;
  if constexpr (format.specials == Specials::kPowersOfTwo) {
    if (bits == 0) return std::bit_cast<float>(uint32_t{0x00400000});
    return std::bit_cast<float>(bits == 0xff ? kFloatNan : bits << 23);
  } else if constexpr (format.exponent_bits == 8) {
    return std::bit_cast<float>(bits << kShift);
  } else {
    const uint32_t magnitude = bits & (format.sign_bit() - 1);
    const uint32_t sign = bits == magnitude ? 0 : 1U << 31;
    if (format.specials == Specials::kNanIsMinusZero && bits == format.sign_bit()) {
      return std::bit_cast<float>(kFloatNan);
    }
    if (magnitude >= format.beyond()) {
      const uint32_t rest = magnitude - format.beyond();  // of infinity none
      const uint32_t nan = format.specials == Specials::kNan ? kFloatNan : kFloatInfinity | rest << kShift;
      return std::bit_cast<float>(sign | nan);
    }
    if (magnitude >> format.mantissa_bits == 0) {  // exact: a float has smaller numbers
      constexpr auto kLeast =
          std::bit_cast<float>(static_cast<uint32_t>(128 - format.bias() - format.mantissa_bits) << 23);
      const float number = static_cast<float>(magnitude) * kLeast;
      return sign == 0 ? number : -number;
    }
    return std::bit_cast<float>(sign | ((magnitude << kShift) + (static_cast<uint32_t>(127 - format.bias()) << 23)));
  }
}

}  // namespace twinkle::internal
