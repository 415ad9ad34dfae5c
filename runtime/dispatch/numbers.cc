#include "runtime/dispatch/numbers.h"

namespace twinkle::dispatch {

using internal::DTypeKind;
using internal::Kind;
using internal::NumberKind;

std::optional<NumberFormat> FormatOf(const internal::Type& type) {
  if (type.kind != Kind::kBits && type.kind != Kind::kBool) return std::nullopt;
  const auto size = static_cast<int64_t>(type.size);
  switch (type.number) {
    case NumberKind::kNone:
    case NumberKind::kEnum:
      return std::nullopt;
    case NumberKind::kBool:
      return NumberFormat{DType::kBool};
    case NumberKind::kFloat:
      if (size > SizeOf(DType::kFloat64)) return NumberFormat{.long_double = true};
      return NumberFormat{codec::DTypeOf(DTypeKind::kFloat, size)};
    case NumberKind::kSigned:
      return NumberFormat{codec::DTypeOf(DTypeKind::kSigned, size)};
    case NumberKind::kUnsigned:
      return NumberFormat{codec::DTypeOf(DTypeKind::kUnsigned, size)};
  }
  return std::nullopt;
}

std::optional<NumberFormat> FormatOf(DType dtype) {
  if (codec::IsComplex(dtype)) return std::nullopt;
  return NumberFormat{dtype};
}

size_t SizeOf(NumberFormat format) {
  return WithNumbers(format, nullptr, [](const auto* typed) { return sizeof(*typed); });
}

}  // namespace twinkle::dispatch
