// Facts on a type that are known before its Type exists: its kind of number, its size, whether it has rows.
#pragma once

#include <twinkle/internal/describe.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace twinkle::internal {

enum class NumberKind : uint8_t { kNone, kBool, kSigned, kUnsigned, kFloat, kEnum };

template <class T>
constexpr NumberKind NumberKindOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return NumberKind::kBool;
  } else if constexpr (std::is_enum_v<T>) {
    return NumberKind::kEnum;
  } else if constexpr (std::is_floating_point_v<T>) {
    return NumberKind::kFloat;
  } else if constexpr (std::is_integral_v<T>) {
    return std::is_signed_v<T> ? NumberKind::kSigned : NumberKind::kUnsigned;
  } else {
    return NumberKind::kNone;
  }
}

// The facts. They do not depend on the items of lists, so recursive types are possible.
struct Facts {
  bool bulk, can_split;
  uint32_t least, size;
  bool has_rows = false;  // as far as the type tells; the contents of a Value are not known before
};
template <class T>
constexpr Facts FactsOf();
template <class... M>
struct FactsOfAll {
  static constexpr bool kBulk = (FactsOf<M>().bulk && ...);
  static constexpr bool kCanSplit = (FactsOf<M>().can_split || ...);
  static constexpr bool kHasRows = (FactsOf<M>().has_rows || ...);
  static constexpr uint32_t kLeast = (0U + ... + FactsOf<M>().least);
  static constexpr uint32_t kSize = (0U + ... + FactsOf<M>().size);
  static constexpr uint32_t kCount = sizeof...(M);
};
template <class T>
using MembersOf = decltype(WithMembers(std::declval<T&>(),
                                       [](auto&... m) { return FactsOfAll<std::remove_cvref_t<decltype(m)>...>{}; }));
template <class T>
using ArrayItem = std::remove_cvref_t<decltype(std::declval<T&>()[0])>;

template <class V>
struct FactsOfHeld;
template <class... I>
struct FactsOfHeld<std::variant<I...>> {
  static constexpr bool kHasRows = (FactsOf<I>().has_rows || ...);
};

template <class T>
constexpr Facts FactsOf() {
  constexpr Kind kKind = KindOf<T>();
  constexpr uint32_t kSize = sizeof(T);
  if constexpr (kKind == Kind::kBits) {
    return {true, false, kSize, kSize};
  } else if constexpr (kKind == Kind::kArray) {
    constexpr Facts kItem = FactsOf<ArrayItem<T>>();
    // Bulk items may be a buffer, which leaves one byte here.
    return {kItem.bulk, false, kItem.bulk ? 1 : std::max<uint32_t>(1, kItem.least * (kSize / kItem.size)), kSize};
  } else if constexpr (kKind == Kind::kRecord) {
    if constexpr (std::is_empty_v<T>) {
      return {false, false, 1, kSize};
    } else {
      using M = MembersOf<T>;
      constexpr bool kBulk = M::kBulk && M::kSize == kSize && std::is_trivially_copyable_v<T>;
      return {kBulk, M::kCanSplit && !SaysWhole<T>, kBulk ? kSize : M::kLeast, kSize, M::kHasRows && !SaysWhole<T>};
    }
  } else if constexpr (kKind == Kind::kOptional) {
    constexpr Facts kItem = FactsOf<typename T::value_type>();
    return {false, kItem.can_split, 1, kSize, kItem.has_rows};
  } else if constexpr (kKind == Kind::kVariant) {
    return {false, true, 1, kSize, FactsOfHeld<T>::kHasRows};
  } else if constexpr (kKind == Kind::kDict) {
    if constexpr (std::is_same_v<typename T::key_type, std::string>) {
      constexpr Facts kItem = FactsOf<typename T::mapped_type>();
      return {false, kItem.can_split, 1, kSize, kItem.has_rows};
    } else {
      return {false, false, 1, kSize};
    }
  } else if constexpr (kKind == Kind::kClass) {
    return {false, HasRows<T>, 1, kSize, HasRows<T> && !SaysWhole<T>};
  } else if constexpr (kKind == Kind::kForeign) {
    return {false, false, 1, kSize, SequenceLike<T> && !HasCodec<T>};
  } else {
    constexpr bool kRows =
        kKind == Kind::kList || kKind == Kind::kArrayRef || kKind == Kind::kBools || kKind == Kind::kTensor;
    return {false, kRows || kKind == Kind::kValue, 1, kSize, kRows};
  }
}

// The type's name as the compiler writes it: equal for the same type in every program of one compiler.
template <class T>
constexpr std::string_view TypeName() {
  constexpr std::string_view kFunction = __PRETTY_FUNCTION__;
  constexpr size_t kBegin = kFunction.find("T = ") + 4;
  constexpr size_t kSemicolon = kFunction.find(';', kBegin);  // g++ goes on with what string_view stands for
  constexpr size_t kEnd = kSemicolon == std::string_view::npos ? kFunction.rfind(']') : kSemicolon;
  return kFunction.substr(kBegin, kEnd - kBegin);
}

}  // namespace twinkle::internal
