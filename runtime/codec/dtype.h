// DTypes in C++: the types of their elements, promotion, and conversion.
#pragma once

#include <twinkle/dtype.h>

#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace twinkle::codec {

// The most bytes of a tensor.
inline constexpr int64_t kMostTensorBytes = int64_t{1} << 56;

inline bool IsFloating(DType dtype) { return internal::FactsOf(dtype).kind == internal::DTypeKind::kFloat; }
inline bool IsComplex(DType dtype) { return internal::FactsOf(dtype).kind == internal::DTypeKind::kComplex; }
inline bool IsFloat8(DType dtype) { return IsFloating(dtype) && SizeOf(dtype) == 1; }

// The dtype of a C++ number of that kind and size. REQUIRES: there is such a dtype, and only one.
DType DTypeOf(internal::DTypeKind kind, int64_t size);

// The smallest dtype that holds the values of both, as NumPy's promote_types() says for the dtypes that NumPy has.
// bfloat16 holds an integer of 8 bits, and mixes with all others, float16 too, as float32 does. A float of 8 bits mixes
// with all but itself as float32 does.
DType Promoted(DType a, DType b);

template <class T>
inline constexpr bool kIsNarrowFloat = false;
template <DType dtype>
inline constexpr bool kIsNarrowFloat<NarrowFloat<dtype>> = true;
template <class T>
inline constexpr bool kIsComplex = internal::ComplexOf<T, float> || internal::ComplexOf<T, double>;

namespace elements {

template <internal::DTypeKind kind, int size, DType dtype>
struct Type : std::type_identity<NarrowFloat<dtype>> {};  // all floats that are not listed below
template <DType dtype>
struct Type<internal::DTypeKind::kBool, 1, dtype> : std::type_identity<bool> {};
template <DType dtype>
struct Type<internal::DTypeKind::kUnsigned, 1, dtype> : std::type_identity<uint8_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kUnsigned, 2, dtype> : std::type_identity<uint16_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kUnsigned, 4, dtype> : std::type_identity<uint32_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kUnsigned, 8, dtype> : std::type_identity<uint64_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kSigned, 1, dtype> : std::type_identity<int8_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kSigned, 2, dtype> : std::type_identity<int16_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kSigned, 4, dtype> : std::type_identity<int32_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kSigned, 8, dtype> : std::type_identity<int64_t> {};
template <DType dtype>
struct Type<internal::DTypeKind::kFloat, 4, dtype> : std::type_identity<float> {};
template <DType dtype>
struct Type<internal::DTypeKind::kFloat, 8, dtype> : std::type_identity<double> {};
template <DType dtype>
struct Type<internal::DTypeKind::kComplex, 8, dtype> : std::type_identity<std::complex<float>> {};
template <DType dtype>
struct Type<internal::DTypeKind::kComplex, 16, dtype> : std::type_identity<std::complex<double>> {};

}  // namespace elements

template <DType dtype>
// The C++ type of a dtype's elements.
using ElementOf = typename elements::Type<internal::FactsOf(dtype).kind, internal::FactsOf(dtype).size, dtype>::type;

template <size_t... i>
constexpr bool AllAre(std::index_sequence<i...>) {
  return ((internal::DTypeFor<ElementOf<static_cast<DType>(i)>>::kValue == static_cast<DType>(i) &&
           sizeof(ElementOf<static_cast<DType>(i)>) == static_cast<size_t>(SizeOf(static_cast<DType>(i)))) &&
          ...);
}
static_assert(AllAre(std::make_index_sequence<kDTypeCount>()), "each dtype has a C++ type, which has that dtype");

template <class R, class F, size_t... i>
R CallWithElementType(DType dtype, F& f, std::index_sequence<i...>) {
  constexpr R (*kCalls[])(F&) = {
      [](F& g) -> R { return g(std::type_identity<ElementOf<static_cast<DType>(i)>>()); }...};
  return kCalls[static_cast<size_t>(dtype)](f);
}
// Calls f(std::type_identity<T>()), T being the C++ type of the dtype's elements.
template <class F>
auto WithElementType(DType dtype, F&& f) {
  return CallWithElementType<decltype(f(std::type_identity<double>()))>(dtype, f,
                                                                        std::make_index_sequence<kDTypeCount>());
}

// The type by which an element is read. It is uint8_t for bool, since bytes that come from elsewhere need not be 0 or
// 1.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

// Widens a number to a double or std::complex<double>. Only int64 and uint64 have numbers that are rounded. A double
// has only the real part of a complex number.
template <class Wide, class T>
Wide Widened(const T& number) {
  if constexpr (kIsNarrowFloat<T>) {
    return Wide(static_cast<float>(number));
  } else if constexpr (!kIsComplex<T>) {
    return Wide(static_cast<double>(number));
  } else if constexpr (kIsComplex<Wide>) {
    return Wide(number);
  } else {
    return Wide(number.real());
  }
}
// A float that a narrower format rounds as it would round the double: its last bit is set if bits were lost.
inline float Sticky(double number) {
  const auto nearest = static_cast<float>(number);
  if (nearest == number) return nearest;
  const auto bits = std::bit_cast<uint32_t>(nearest);
  const bool away = std::fabs(static_cast<double>(nearest)) > std::fabs(number);  // from zero
  return std::bit_cast<float>((away ? bits - 1 : bits) | 1);
}

// Narrows a wide number to T, rounded once.
template <class T, class Wide>
T Narrowed(const Wide& wide) {
  if constexpr (kIsComplex<T>) {
    return T(wide);
  } else if constexpr (kIsComplex<Wide>) {
    return Narrowed<T>(wide.real());
  } else if constexpr (kIsNarrowFloat<T>) {
    return T(Sticky(wide));
  } else {
    return static_cast<T>(wide);
  }
}

}  // namespace twinkle::codec
