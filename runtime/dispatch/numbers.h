// Numbers in memory, of C++ types and of tensors' elements, whatever their type.
#pragma once

#include <twinkle/internal/type.h>
#include <twinkle/tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "runtime/codec/dtype.h"

namespace twinkle::dispatch {

// The format of a number: a dtype that is not complex, or long double, which is no dtype.
struct NumberFormat {
  DType dtype = DType::kFloat64;
  bool long_double = false;
};

// The format of one number, or of the elements of a tensor. Nothing: the type is no number, or complex.
std::optional<NumberFormat> FormatOf(const internal::Type& type);
std::optional<NumberFormat> FormatOf(DType dtype);

inline bool IsFloating(NumberFormat format) { return codec::IsFloating(format.dtype); }

// Calls f with the address of `numbers` as that of their C++ type; bools as bytes. They may be aligned for less.
template <class F>
auto WithNumbers(NumberFormat format, const void* numbers, F&& f) {
  if (format.long_double) return f(static_cast<const long double*>(numbers));
  return codec::WithElementType(format.dtype, [&]<class T>(std::type_identity<T>) {
    using Real = std::conditional_t<codec::kIsComplex<T>, double, codec::Stored<T>>;  // no format is complex
    return f(static_cast<const Real*>(numbers));
  });
}

// The bytes that one number takes.
size_t SizeOf(NumberFormat format);

}  // namespace twinkle::dispatch
