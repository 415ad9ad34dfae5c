#include "runtime/collective/fold.h"

#include <absl/strings/str_cat.h>

#include <cmath>
#include <cstring>
#include <type_traits>

#include "runtime/codec/dtype.h"

namespace twinkle::collective {
namespace {

using codec::kIsComplex;
using codec::kIsNarrowFloat;
using internal::DTypeKind;

// Bools as their bytes: what came from elsewhere need not be 0 or 1.
template <class T>
using Element = codec::Stored<T>;
template <class T>
using Accumulator = std::conditional_t<kIsNarrowFloat<T>, float, Element<T>>;

template <class T>
inline constexpr bool kIsReduced = !kIsNarrowFloat<T> || sizeof(T) == 2;

template <class T>
Accumulator<T> Load(Element<T> element) {
  if constexpr (std::is_same_v<T, bool>) {
    return element != 0 ? 1 : 0;
  } else {
    return static_cast<Accumulator<T>>(element);
  }
}

// Integers wrap around: the unsigned type of their size does. uint16_t would become int, and overflow.
template <class T, bool is_integer = std::is_integral_v<T>>
struct Wrapping : std::type_identity<T> {};
template <class T>
struct Wrapping<T, true> : std::type_identity<std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>> {};

template <class A>
bool IsNan(A a) {
  if constexpr (std::is_floating_point_v<A>) {
    return std::isnan(a);
  } else {
    return false;
  }
}

template <ReduceOp op, class A>
A Combined(A a, A b) {
  using W = typename Wrapping<A>::type;
  if constexpr (op == ReduceOp::kProduct) {
    return static_cast<A>(static_cast<W>(a) * static_cast<W>(b));
  } else if constexpr (op == ReduceOp::kMin) {
    return b < a || IsNan(b) ? b : a;  // a nan stays
  } else if constexpr (op == ReduceOp::kMax) {
    return a < b || IsNan(b) ? b : a;
  } else {
    return static_cast<A>(static_cast<W>(a) + static_cast<W>(b));
  }
}

template <ReduceOp op, class T>
void FoldElements(std::byte* accumulator, const std::byte* elements, size_t count) {
  using A = Accumulator<T>;
  if constexpr (!kIsComplex<T> || (op != ReduceOp::kMin && op != ReduceOp::kMax)) {
    auto* to = reinterpret_cast<A*>(accumulator);
    const auto* from = reinterpret_cast<const Element<T>*>(elements);
    for (size_t i = 0; i < count; ++i) to[i] = Combined<op, A>(to[i], Load<T>(from[i]));
  }
}

template <class T>
void FoldAs(ReduceOp op, std::byte* accumulator, const std::byte* elements, size_t count) {
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kMean:
      return FoldElements<ReduceOp::kSum, T>(accumulator, elements, count);
    case ReduceOp::kMin:
      return FoldElements<ReduceOp::kMin, T>(accumulator, elements, count);
    case ReduceOp::kMax:
      return FoldElements<ReduceOp::kMax, T>(accumulator, elements, count);
    case ReduceOp::kProduct:
      return FoldElements<ReduceOp::kProduct, T>(accumulator, elements, count);
  }
}

template <class T>
void FinishAs(ReduceOp op, int ranks, std::byte* result, const std::byte* accumulator, size_t count) {
  using A = Accumulator<T>;
  auto* to = reinterpret_cast<Element<T>*>(result);
  const auto* from = reinterpret_cast<const A*>(accumulator);
  if constexpr (!std::is_integral_v<T>) {
    if (op == ReduceOp::kMean) {
      const auto divisor = static_cast<A>(static_cast<float>(ranks));
      for (size_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i] / divisor);
      return;
    }
  }
  if constexpr (std::is_same_v<Element<T>, A>) {
    if (result != accumulator) std::memcpy(result, accumulator, count * sizeof(A));
  } else {
    for (size_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
  }
}

}  // namespace

absl::Status CheckReduction(DType dtype, ReduceOp op) {
  const DTypeKind kind = internal::FactsOf(dtype).kind;
  const bool ordered = op == ReduceOp::kMin || op == ReduceOp::kMax;
  const char* why = nullptr;
  if (codec::IsFloat8(dtype)) why = "floats of 8 bits are not reduced: convert them first";
  if (kind == DTypeKind::kComplex && ordered) why = "complex numbers have no order";
  if (kind == DTypeKind::kBool && !ordered) why = "of bools there are min (and) and max (or)";
  if ((kind == DTypeKind::kSigned || kind == DTypeKind::kUnsigned) && op == ReduceOp::kMean) {
    why = "the mean of integers is none: convert them, or divide their sum";
  }
  if (why == nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("no such reduction of ", DTypeName(dtype), ": ", why));
}

DType AccumulatorOf(DType dtype) {
  return dtype == DType::kBFloat16 || dtype == DType::kFloat16 ? DType::kFloat32 : dtype;
}

void Begin(DType dtype, std::byte* accumulator, const std::byte* elements, size_t count) {
  codec::WithElementType(dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (kIsReduced<T>) {
      auto* to = reinterpret_cast<Accumulator<T>*>(accumulator);
      const auto* from = reinterpret_cast<const Element<T>*>(elements);
      for (size_t i = 0; i < count; ++i) to[i] = Load<T>(from[i]);
    }
  });
}

void Fold(DType dtype, ReduceOp op, std::byte* accumulator, const std::byte* elements, size_t count) {
  codec::WithElementType(dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (kIsReduced<T>) FoldAs<T>(op, accumulator, elements, count);
  });
}

void Finish(DType dtype, ReduceOp op, int ranks, std::byte* result, const std::byte* accumulator, size_t count) {
  codec::WithElementType(dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (kIsReduced<T>) FinishAs<T>(op, ranks, result, accumulator, count);
  });
}

}  // namespace twinkle::collective
