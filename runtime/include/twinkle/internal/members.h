// The members of an aggregate, which declares nothing: they are counted, and named by structured bindings
// (members_table.h, generated). Their number is the largest N for which T{ {}, … } with N braces compiles.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace twinkle::internal {
namespace members {

template <int N>
using At = std::integral_constant<int, N>;
struct Any {
  template <class T>
  operator T() const;  // NOLINT: converts to every member type
};
// AnyBase converts to base classes of T only, and Nothing to nothing at all. A member that takes anything takes both.
template <class T>
struct AnyBase {
  template <class B>
  requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>) operator B() const;  // NOLINT
};
struct Nothing {};

template <class T>
constexpr bool Takes(At<0>) {
  return true;
}
template <class T>
constexpr bool More(At<0>) {
  return requires(Any any) { T{any}; };
}
template <class T, class F>
constexpr decltype(auto) Tie(At<0>, T&, F&& f) {
  return f();
}
#include <twinkle/internal/members_table.h>

inline constexpr int kMaxMembers = 128;

template <class T, int low, int high>
constexpr int CountBetween() {  // `low` members fit, `high` do not
  if constexpr (low + 1 == high) {
    return low;
  } else if constexpr (constexpr int kMiddle = (low + high) / 2; Takes<T>(At<kMiddle>{})) {
    return CountBetween<T, kMiddle, high>();
  } else {
    return CountBetween<T, low, kMiddle>();
  }
}
template <class T, int high>
constexpr int CountUpTo() {  // 8, 16, 32 …: most aggregates are small
  if constexpr (high > kMaxMembers) {
    return CountBetween<T, high / 2, kMaxMembers + 1>();
  } else if constexpr (Takes<T>(At<high>{})) {
    return CountUpTo<T, high * 2>();
  } else {
    return CountBetween < T, high == 8 ? 0 : high / 2, high > ();
  }
}

}  // namespace members

template <class T>
inline constexpr bool kHasBase = requires {
  T{members::AnyBase<T>{}};
}
&&!requires { T{members::Nothing{}}; };
template <class T>
inline constexpr int kMemberCount = members::CountUpTo<T, 8>();

// Every member counted: no base class, no member that {} cannot make, not too many of them.
template <class T>
inline constexpr bool kIsPlain = [] {
  if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T> || !requires { T{}; }) {
    return false;
  } else {
    return !kHasBase<T> && !members::More<T>(members::At<kMemberCount<T>>{});
  }
}();

// f(member1, member2, …)
template <class T, class F>
constexpr decltype(auto) WithMembers(T& object, F&& f) {
  return members::Tie(members::At<kMemberCount<std::remove_const_t<T>>>{}, object, std::forward<F>(f));
}

// REQUIRES: kIsPlain<T>. A constant expression, unless T has a bit-field: a reference to a member is a constant, also
// where there is only memory for an object; one to a bit-field would be to a copy of what that holds, which is nothing.
template <class T>
constexpr bool RefersToEach() {
  T* const nowhere = std::allocator<T>().allocate(1);
  const bool refers = WithMembers(*nowhere, [](const auto&...) { return true; });
  std::allocator<T>().deallocate(nowhere, 1);
  return refers;
}
template <class T>
inline constexpr bool kHasBitField = !requires {
  typename std::bool_constant<RefersToEach<T>()>;
};

}  // namespace twinkle::internal
