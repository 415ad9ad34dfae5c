// The results that each collect rule can join, and the members of a result that prevent it.
#pragma once

#include <twinkle/internal/type.h>

#include <string>
#include <type_traits>
#include <utility>

namespace twinkle::internal {

template <class T>
constexpr bool CanFlatten();
template <class T>
constexpr bool CanReduce();  // a number, or a list or tensor of numbers

template <class Struct, class Member>
struct FlattenMember {
  static_assert(
      CanFlatten<Member>(),
      "twinkle: Collect::kFlatten joins lists and tensors: this member of the result (second template argument) is "
      "neither, nor a struct or string-keyed map of them; use another rule or CollectBy");
};
template <class Struct, class Member>
struct NumberMember {
  static_assert(
      std::is_arithmetic_v<Member>,
      "twinkle: Collect::kSum of a struct needs members that are numbers: this one (second template argument) is "
      "not; use another rule or CollectBy");
};
template <class Struct, class Member>
struct FloatMember {
  static_assert(std::is_floating_point_v<Member>,
                "twinkle: Collect::kMean of a struct needs members that are float or double: this one (second template "
                "argument) is not; use another rule or CollectBy");
};

template <template <class, class> class Check, class T>
constexpr bool CheckMembers() {
  using Checked = decltype(WithMembers(std::declval<T&>(), [](auto&... m) {
    return std::bool_constant<((sizeof(Check<T, std::remove_cvref_t<decltype(m)>>) > 0) && ...)>{};
  }));
  return Checked::value;
}

template <class T>
constexpr bool CanFlatten() {
  constexpr Kind kKind = KindOf<T>();
  if constexpr (kKind == Kind::kRecord) {
    return !std::is_empty_v<T> && CheckMembers<FlattenMember, T>();
  } else if constexpr (kKind == Kind::kDict) {
    return std::is_same_v<typename T::key_type, std::string> && CanFlatten<typename T::mapped_type>();
  } else if constexpr (kKind == Kind::kOptional) {
    return CanFlatten<typename T::value_type>();
  } else {
    return kKind == Kind::kList || kKind == Kind::kArrayRef || kKind == Kind::kBools || kKind == Kind::kTensor ||
           kKind == Kind::kValue || kKind == Kind::kVariant;
  }
}

template <class T>
constexpr bool CanReduce() {
  constexpr Kind kKind = KindOf<T>();
  if constexpr (kKind == Kind::kList || kKind == Kind::kArrayRef) {
    return CanReduce<typename T::value_type>();
  } else if constexpr (kKind == Kind::kArray) {
    return CanReduce<ArrayItem<T>>();
  } else {
    return std::is_arithmetic_v<T> || kKind == Kind::kBools || kKind == Kind::kTensor;
  }
}

template <class T>
constexpr bool IsStringMap() {
  if constexpr (KindOf<T>() == Kind::kDict) {
    return std::is_same_v<typename T::key_type, std::string>;
  } else {
    return false;
  }
}
template <class T>
inline constexpr bool kIsStringMap = IsStringMap<T>();

// ---- element by element
template <class T, bool mean, bool in_struct>
constexpr bool CanReduceEach();

template <class Struct, class Member>
struct SumEachMember {
  static_assert(
      CanReduceEach<Member, false, true>(),
      "twinkle: Collect::kSumEach adds numbers, tensors, and lists, string-keyed maps and structs of them: this "
      "member of the result (second template argument) is none of these; use another rule or CollectBy");
};
template <class Struct, class Member>
struct MeanEachMember {
  static_assert(
      CanReduceEach<Member, true, true>(),
      "twinkle: Collect::kMeanEach averages float, double, tensors, and lists, string-keyed maps and structs of "
      "them: this member of the result (second template argument) is none of these; use another rule or "
      "CollectBy");
};

// Whether a type can be reduced element by element. A struct keeps its type, so integers in it have no mean.
template <class T, bool mean, bool in_struct>
constexpr bool CanReduceEach() {
  constexpr Kind kKind = KindOf<T>();
  if constexpr (std::is_arithmetic_v<T>) {
    return !(mean && in_struct) || std::is_floating_point_v<T>;
  } else if constexpr (kKind == Kind::kList || kKind == Kind::kArrayRef) {
    return CanReduceEach<typename T::value_type, mean, in_struct>();
  } else if constexpr (kKind == Kind::kArray) {
    return CanReduceEach<ArrayItem<T>, mean, in_struct>();
  } else if constexpr (kIsStringMap<T>) {
    return CanReduceEach<typename T::mapped_type, mean, in_struct>();
  } else if constexpr (kKind == Kind::kRecord && !std::is_empty_v<T>) {
    if constexpr (mean) {
      return CheckMembers<MeanEachMember, T>();
    } else {
      return CheckMembers<SumEachMember, T>();
    }
  } else {
    return kKind == Kind::kTensor || kKind == Kind::kValue || (kKind == Kind::kBools && !in_struct);
  }
}

}  // namespace twinkle::internal
