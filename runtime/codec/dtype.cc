#include "runtime/codec/dtype.h"

#include <algorithm>

namespace twinkle::codec {
namespace {

using internal::DTypeKind;

DTypeKind KindOf(DType dtype) { return internal::FactsOf(dtype).kind; }
bool HoldsIntegers(DType dtype) { return !IsFloating(dtype) && !IsComplex(dtype); }

// The dtype of a complex number's parts; other dtypes are their own.
DType PartOf(DType dtype) { return IsComplex(dtype) ? DTypeOf(DTypeKind::kFloat, SizeOf(dtype) / 2) : dtype; }

// The bytes of the smallest float that holds the values of a dtype.
int64_t FloatBytes(DType dtype) {
  if (KindOf(dtype) == DTypeKind::kBool) return 1;
  if (HoldsIntegers(dtype)) return std::min<int64_t>(2 * SizeOf(dtype), 8);
  return IsFloat8(dtype) ? 4 : SizeOf(dtype);
}

DType PromotedFloats(DType a, DType b) {
  const int64_t bytes = std::max(FloatBytes(a), FloatBytes(b));
  if (bytes > 2) return DTypeOf(DTypeKind::kFloat, bytes);
  if (IsFloating(a) && IsFloating(b)) return DType::kFloat32;  // each holds numbers that the other does not
  return IsFloating(a) ? a : b;
}

DType PromotedIntegers(DType a, DType b) {
  if (KindOf(a) == KindOf(b)) return SizeOf(a) > SizeOf(b) ? a : b;
  if (KindOf(a) == DTypeKind::kBool) return b;
  if (KindOf(b) == DTypeKind::kBool) return a;
  const auto signed_bytes = [](DType dtype) { return KindOf(dtype) == DTypeKind::kSigned ? 1 : 2; };
  const int64_t bytes = std::max(SizeOf(a) * signed_bytes(a), SizeOf(b) * signed_bytes(b));
  return bytes > 8 ? DType::kFloat64 : DTypeOf(DTypeKind::kSigned, bytes);
}

}  // namespace

DType DTypeOf(DTypeKind kind, int64_t size) {
  int dtype = 0;
  while (dtype + 1 < kDTypeCount &&
         (KindOf(static_cast<DType>(dtype)) != kind || SizeOf(static_cast<DType>(dtype)) != size))
    ++dtype;
  return static_cast<DType>(dtype);
}

DType Promoted(DType a, DType b) {
  if (a == b) return a;
  if (IsComplex(a) || IsComplex(b))
    return DTypeOf(DTypeKind::kComplex, 2 * SizeOf(PromotedFloats(PartOf(a), PartOf(b))));
  return HoldsIntegers(a) && HoldsIntegers(b) ? PromotedIntegers(a, b) : PromotedFloats(a, b);
}

}  // namespace twinkle::codec
