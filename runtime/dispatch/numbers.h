// Numbers in memory, of C++ types and of tensors' elements, whatever their type.
#pragma once

#include <twinkle/internal/type.h>
#include <twinkle/tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace twinkle::dispatch {

enum class NumberFormat : uint8_t {
  kBool,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBFloat16,
  kFloat,
  kDouble,
  kLongDouble,
};

// Of one number, or of the elements of a tensor. Nothing: the type is no number.
std::optional<NumberFormat> FormatOf(const internal::Type& type);
NumberFormat FormatOf(DType dtype);

inline bool IsFloating(NumberFormat format) { return format >= NumberFormat::kBFloat16; }

// Calls f with the address of `numbers` as that of their C++ type; bools as bytes. They may be aligned for less.
template <class F>
auto WithNumbers(NumberFormat format, const void* numbers, F&& f) {
  switch (format) {
    case NumberFormat::kBool:
    case NumberFormat::kUint8:
      return f(static_cast<const uint8_t*>(numbers));
    case NumberFormat::kInt8:
      return f(static_cast<const int8_t*>(numbers));
    case NumberFormat::kInt16:
      return f(static_cast<const int16_t*>(numbers));
    case NumberFormat::kUint16:
      return f(static_cast<const uint16_t*>(numbers));
    case NumberFormat::kInt32:
      return f(static_cast<const int32_t*>(numbers));
    case NumberFormat::kUint32:
      return f(static_cast<const uint32_t*>(numbers));
    case NumberFormat::kInt64:
      return f(static_cast<const int64_t*>(numbers));
    case NumberFormat::kUint64:
      return f(static_cast<const uint64_t*>(numbers));
    case NumberFormat::kBFloat16:
      return f(static_cast<const BFloat16*>(numbers));
    case NumberFormat::kFloat:
      return f(static_cast<const float*>(numbers));
    case NumberFormat::kDouble:
      return f(static_cast<const double*>(numbers));
    case NumberFormat::kLongDouble:
      break;
  }
  return f(static_cast<const long double*>(numbers));
}

// Bytes of one.
size_t SizeOf(NumberFormat format);

}  // namespace twinkle::dispatch
