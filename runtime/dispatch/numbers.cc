#include "runtime/dispatch/numbers.h"

#include <type_traits>

namespace twinkle::dispatch {

using internal::Kind;
using internal::NumberKind;

std::optional<NumberFormat> FormatOf(const internal::Type& type) {
  if (type.kind != Kind::kBits && type.kind != Kind::kBool) return std::nullopt;
  switch (type.number) {
    case NumberKind::kNone:
    case NumberKind::kEnum:
      return std::nullopt;
    case NumberKind::kBool:
      return NumberFormat::kBool;
    case NumberKind::kFloat:
      if (type.size == sizeof(float)) return NumberFormat::kFloat;
      return type.size == sizeof(double) ? NumberFormat::kDouble : NumberFormat::kLongDouble;
    case NumberKind::kSigned:
      if (type.size == 1) return NumberFormat::kInt8;
      if (type.size == 2) return NumberFormat::kInt16;
      return type.size == 4 ? NumberFormat::kInt32 : NumberFormat::kInt64;
    case NumberKind::kUnsigned:
      if (type.size == 1) return NumberFormat::kUint8;
      if (type.size == 2) return NumberFormat::kUint16;
      return type.size == 4 ? NumberFormat::kUint32 : NumberFormat::kUint64;
  }
  return std::nullopt;
}

NumberFormat FormatOf(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return NumberFormat::kBool;
    case DType::kUint8:
      return NumberFormat::kUint8;
    case DType::kInt32:
      return NumberFormat::kInt32;
    case DType::kInt64:
      return NumberFormat::kInt64;
    case DType::kBFloat16:
      return NumberFormat::kBFloat16;
    case DType::kFloat32:
      return NumberFormat::kFloat;
    case DType::kFloat64:
      break;
  }
  return NumberFormat::kDouble;
}

size_t SizeOf(NumberFormat format) {
  return WithNumbers(format, nullptr, [](const auto* typed) { return sizeof(*typed); });
}

}  // namespace twinkle::dispatch
