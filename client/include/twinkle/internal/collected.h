// Collected<R, rule>: the type of a method's results once they are joined.
//
//   result R and rule                              | collected type
//   void, any rule                                 | void
//   Value, any rule                                | Value
//   kNone, kLastPp                                 | std::vector<R>
//   std::tuple<A…>, any rule                       | std::tuple of the collected types
//   kFlatten, kFlattenDp of lists, tensors, and of structs and string-keyed maps of them | R
//   kFirst, kLastPpFirst                           | R
//   kMean of a number, list or tensor              | double
//   kMean of a string-keyed map                    | std::map<std::string, double>
//   kMean of a struct of floats                    | the struct
//   kSum of integers and bool / floats             | int64_t / double
//   kSum of a list / tensor                        | as of its numbers / double
//   kSum of a map or struct                        | member by member
//   kSumEach of integers and bool / of float, double, tensors, Values | int64_t / the same
//   kMeanEach of integers and bool / likewise      | double / the same
//   kSumEach, kMeanEach of a list / string-keyed map / struct | the list / std::map of these / the struct
#pragma once

#include <twinkle/internal/result_rules.h>
#include <twinkle/internal/type.h>
#include <twinkle/rules.h>

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace twinkle::internal {

// Whether a sum of T's numbers, at any depth of lists, is an integer.
template <class T>
constexpr bool SumsToInteger() {
  constexpr Kind kKind = KindOf<T>();
  if constexpr (kKind == Kind::kList || kKind == Kind::kArrayRef) {
    return SumsToInteger<typename T::value_type>();
  } else if constexpr (kKind == Kind::kArray) {
    return SumsToInteger<ArrayItem<T>>();
  } else {
    return std::is_integral_v<T> || kKind == Kind::kBools;
  }
}
template <class T>
using SumOf = std::conditional_t<SumsToInteger<T>(), int64_t, double>;

template <class T, bool mean>
struct EachOf {
  using Type = T;  // floats, tensors, structs
};
template <class T, bool mean>
requires std::is_integral_v<T>
struct EachOf<T, mean> {
  using Type = std::conditional_t<mean, double, int64_t>;
};
template <class I, class A, bool mean>
struct EachOf<std::vector<I, A>, mean> {
  using Type = std::vector<typename EachOf<I, mean>::Type>;
};
template <class I, bool mean>
struct EachOf<Array<I>, mean> {
  using Type = Array<typename EachOf<I, mean>::Type>;
};
template <class I, size_t n, bool mean>
struct EachOf<std::array<I, n>, mean> {
  using Type = std::array<typename EachOf<I, mean>::Type, n>;
};
template <class T, bool mean>
requires kIsStringMap<T>
struct EachOf<T, mean> {
  using Type = std::map<std::string, typename EachOf<typename T::mapped_type, mean>::Type>;
};

template <class T>
struct TypeTag {
  using Type = T;
};

template <class R>
constexpr auto MeanTag() {
  if constexpr (kIsStringMap<R>) {
    static_assert(
        CanReduce<typename R::mapped_type>(),
        "twinkle: Collect::kMean of a map needs values that are numbers, lists or tensors; use Value, or CollectBy");
    return TypeTag<std::map<std::string, double>>{};
  } else if constexpr (KindOf<R>() == Kind::kRecord) {
    static_assert(CheckMembers<FloatMember, R>());
    return TypeTag<R>{};
  } else {
    static_assert(CanReduce<R>(),
                  "twinkle: Collect::kMean needs numbers, lists or tensors; use another rule or CollectBy");
    return TypeTag<double>{};
  }
}

template <class R>
constexpr auto SumTag() {
  if constexpr (kIsStringMap<R>) {
    static_assert(
        CanReduce<typename R::mapped_type>(),
        "twinkle: Collect::kSum of a map needs values that are numbers, lists or tensors; use Value, or CollectBy");
    return TypeTag<std::map<std::string, SumOf<typename R::mapped_type>>>{};
  } else if constexpr (KindOf<R>() == Kind::kRecord) {
    static_assert(CheckMembers<NumberMember, R>());
    return TypeTag<R>{};
  } else {
    static_assert(CanReduce<R>(),
                  "twinkle: Collect::kSum needs numbers, lists or tensors; use another rule or CollectBy");
    return TypeTag<SumOf<R>>{};
  }
}

template <class R, bool mean>
constexpr auto EachTag() {
  static_assert(
      CanReduceEach<R, mean, false>(),
      "twinkle: Collect::kMeanEach and kSumEach need numbers, tensors, or lists, string-keyed maps and structs "
      "of them; use another rule or CollectBy");
  return TypeTag<typename EachOf<R, mean>::Type>{};
}

template <class R>
constexpr auto ItemsTag() {
  static_assert(
      CanFlatten<R>(),
      "twinkle: Collect::kFlatten joins lists and tensors (or structs and string-keyed maps of them): this result "
      "is neither; use another rule or CollectBy");
  return TypeTag<R>{};
}

// The type of results of type R once `rule` has joined them, where R is none of those that are alike for all rules. A
// rule without a specialisation does not compile where it is used; what it does is its entry in
// runtime/dispatch/collect_rules.cc.
template <class R, Collect rule>
struct JoinedBy;
template <class R>
struct JoinedBy<R, Collect::kNone> : TypeTag<std::vector<R>> {};
template <class R>
struct JoinedBy<R, Collect::kFlatten> : decltype(ItemsTag<R>()) {};
template <class R>
struct JoinedBy<R, Collect::kMean> : decltype(MeanTag<R>()) {};
template <class R>
struct JoinedBy<R, Collect::kSum> : decltype(SumTag<R>()) {};
template <class R>
struct JoinedBy<R, Collect::kFirst> : TypeTag<R> {};
template <class R>
struct JoinedBy<R, Collect::kLastPp> : TypeTag<std::vector<R>> {};
template <class R>
struct JoinedBy<R, Collect::kLastPpFirst> : TypeTag<R> {};
template <class R>
struct JoinedBy<R, Collect::kFlattenDp> : decltype(ItemsTag<R>()) {};
template <class R>
struct JoinedBy<R, Collect::kMeanEach> : decltype(EachTag<R, true>()) {};
template <class R>
struct JoinedBy<R, Collect::kSumEach> : decltype(EachTag<R, false>()) {};

template <class R, Collect rule>
struct CollectedOf : JoinedBy<R, rule> {};
template <Collect rule>
struct CollectedOf<void, rule> : TypeTag<void> {};
template <Collect rule>
struct CollectedOf<Value, rule> : TypeTag<Value> {};
template <class... A, Collect rule>
struct CollectedOf<std::tuple<A...>, rule> : TypeTag<std::tuple<typename CollectedOf<A, rule>::Type...>> {};

template <class R, Collect rule>
using Collected = typename CollectedOf<R, rule>::Type;

}  // namespace twinkle::internal
