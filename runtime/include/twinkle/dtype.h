// DType: the types that elements of a tensor may have, and C++ types for those that C++ lacks.
#pragma once

#include <twinkle/internal/export.h>
#include <twinkle/internal/narrow_float.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace twinkle {

// The types of elements. Their numbers are sent, so a new one goes to the end. Its facts go to internal::FactsOf; the
// compiler reports it if they are missing.
enum class DType : uint8_t {
  kBool,
  kUint8,
  kInt32,
  kInt64,
  kBFloat16,
  kFloat32,
  kFloat64,
  kInt8,
  kInt16,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kFloat8E4M3Fn,
  kFloat8E5M2,
  kFloat8E4M3Fnuz,
  kFloat8E5M2Fnuz,
  kFloat8E8M0Fnu,
  kComplex64,
  kComplex128,
};

namespace internal {

enum class DTypeKind : uint8_t { kBool, kUnsigned, kSigned, kFloat, kComplex };

// Codes of dlpack 1.1; older headers lack the last ones.
enum class DLPackCode : uint8_t {
  kInt = 0,
  kUint = 1,
  kFloat = 2,
  kBFloat = 4,
  kComplex = 5,
  kBool = 6,
  kFloat8E4M3Fn = 10,
  kFloat8E4M3Fnuz = 11,
  kFloat8E5M2 = 12,
  kFloat8E5M2Fnuz = 13,
  kFloat8E8M0Fnu = 14,
};

struct DTypeFacts {
  const char* name = nullptr;
  int size = 0;  // bytes
  DTypeKind kind = DTypeKind::kBool;
  DLPackCode dlpack = DLPackCode::kBool;
  FloatFormat format = {};  // of a float of less than 32 bits
};

// All that the library knows of a dtype: its C++ type, its promotion and what can be done with it follow from this.
constexpr DTypeFacts FactsOf(DType dtype) {
  using enum DTypeKind;
  using enum Specials;
  using Code = DLPackCode;
  switch (dtype) {
    case DType::kBool:
      return {"bool", 1, kBool, Code::kBool};
    case DType::kUint8:
      return {"uint8", 1, kUnsigned, Code::kUint};
    case DType::kInt32:
      return {"int32", 4, kSigned, Code::kInt};
    case DType::kInt64:
      return {"int64", 8, kSigned, Code::kInt};
    case DType::kBFloat16:
      return {"bfloat16", 2, kFloat, Code::kBFloat, {8, 7, kInfinityAndNan}};
    case DType::kFloat32:
      return {"float32", 4, kFloat, Code::kFloat};
    case DType::kFloat64:
      return {"float64", 8, kFloat, Code::kFloat};
    case DType::kInt8:
      return {"int8", 1, kSigned, Code::kInt};
    case DType::kInt16:
      return {"int16", 2, kSigned, Code::kInt};
    case DType::kUint16:
      return {"uint16", 2, kUnsigned, Code::kUint};
    case DType::kUint32:
      return {"uint32", 4, kUnsigned, Code::kUint};
    case DType::kUint64:
      return {"uint64", 8, kUnsigned, Code::kUint};
    case DType::kFloat16:
      return {"float16", 2, kFloat, Code::kFloat, {5, 10, kInfinityAndNan}};
    case DType::kFloat8E4M3Fn:
      return {"float8_e4m3fn", 1, kFloat, Code::kFloat8E4M3Fn, {4, 3, kNan}};
    case DType::kFloat8E5M2:
      return {"float8_e5m2", 1, kFloat, Code::kFloat8E5M2, {5, 2, kInfinityAndNan}};
    case DType::kFloat8E4M3Fnuz:
      return {"float8_e4m3fnuz", 1, kFloat, Code::kFloat8E4M3Fnuz, {4, 3, kNanIsMinusZero}};
    case DType::kFloat8E5M2Fnuz:
      return {"float8_e5m2fnuz", 1, kFloat, Code::kFloat8E5M2Fnuz, {5, 2, kNanIsMinusZero}};
    case DType::kFloat8E8M0Fnu:
      return {"float8_e8m0fnu", 1, kFloat, Code::kFloat8E8M0Fnu, {8, 0, kPowersOfTwo}};
    case DType::kComplex64:
      return {"complex64", 8, kComplex, Code::kComplex};
    case DType::kComplex128:
      return {"complex128", 16, kComplex, Code::kComplex};
  }
  return {};
}

constexpr int CountDTypes() {
  int count = 0;
  while (FactsOf(static_cast<DType>(count)).name != nullptr) ++count;
  return count;
}

}  // namespace internal

inline constexpr int kDTypeCount = internal::CountDTypes();

// Bytes of one element.
constexpr int64_t SizeOf(DType dtype) { return internal::FactsOf(dtype).size; }

// "float32" and the like, as NumPy and ml_dtypes name them.
TWINKLE_EXPORT const char* DTypeName(DType dtype);

// A float of 8 or 16 bits. From a float it is rounded to the nearest, ties to even; what is too large becomes infinite,
// or nan where there is no infinity.
template <DType dtype>
struct NarrowFloat {
  using Bits = std::conditional_t<SizeOf(dtype) == 1, uint8_t, uint16_t>;
  static constexpr internal::FloatFormat kFormat = internal::FactsOf(dtype).format;
  static_assert(kFormat.mantissa_bits < 23, "no narrow float");

  Bits bits = 0;
  NarrowFloat() = default;
  explicit constexpr NarrowFloat(float value) : bits(static_cast<Bits>(internal::Narrowed<kFormat>(value))) {}
  explicit constexpr operator float() const { return internal::Widened<kFormat>(bits); }
  bool operator==(const NarrowFloat&) const = default;  // of the bits
};
using BFloat16 = NarrowFloat<DType::kBFloat16>;  // the upper half of a float
using Float16 = NarrowFloat<DType::kFloat16>;
using Float8E4M3Fn = NarrowFloat<DType::kFloat8E4M3Fn>;
using Float8E5M2 = NarrowFloat<DType::kFloat8E5M2>;
using Float8E4M3Fnuz = NarrowFloat<DType::kFloat8E4M3Fnuz>;
using Float8E5M2Fnuz = NarrowFloat<DType::kFloat8E5M2Fnuz>;
using Float8E8M0Fnu = NarrowFloat<DType::kFloat8E8M0Fnu>;  // no zero: the bits 0 are 2^-127

namespace internal {

// std::complex, without its header, and what other libraries have of the same layout.
template <class T, class Part>
concept ComplexOf = std::same_as<typename T::value_type, Part> && sizeof(T) == 2 * sizeof(Part) &&
                    requires(const T& t) {
  { t.real() } -> std::convertible_to<Part>;
  { t.imag() } -> std::convertible_to<Part>;
};

template <DType dtype>
struct DTypeConstant {
  static constexpr DType kValue = dtype;
};
template <class T>
struct DTypeFor;  // no such element type: bool, int8_t to uint64_t, the floats above, float, double, std::complex of
                  // them
template <DType dtype>
struct DTypeFor<NarrowFloat<dtype>> : DTypeConstant<dtype> {};
template <>
struct DTypeFor<bool> : DTypeConstant<DType::kBool> {};
template <>
struct DTypeFor<int8_t> : DTypeConstant<DType::kInt8> {};
template <>
struct DTypeFor<uint8_t> : DTypeConstant<DType::kUint8> {};
template <>
struct DTypeFor<int16_t> : DTypeConstant<DType::kInt16> {};
template <>
struct DTypeFor<uint16_t> : DTypeConstant<DType::kUint16> {};
template <>
struct DTypeFor<int32_t> : DTypeConstant<DType::kInt32> {};
template <>
struct DTypeFor<uint32_t> : DTypeConstant<DType::kUint32> {};
template <>
struct DTypeFor<int64_t> : DTypeConstant<DType::kInt64> {};
template <>
struct DTypeFor<uint64_t> : DTypeConstant<DType::kUint64> {};
template <>
struct DTypeFor<float> : DTypeConstant<DType::kFloat32> {};
template <>
struct DTypeFor<double> : DTypeConstant<DType::kFloat64> {};
template <ComplexOf<float> T>
struct DTypeFor<T> : DTypeConstant<DType::kComplex64> {};
template <ComplexOf<double> T>
struct DTypeFor<T> : DTypeConstant<DType::kComplex128> {};

}  // namespace internal
}  // namespace twinkle
