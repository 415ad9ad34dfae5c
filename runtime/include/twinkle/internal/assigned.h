// Which types can be put in the place of another value.
#pragma once

#include <type_traits>
#include <vector>

namespace twinkle::internal {

// Of lists, which say that they can be assigned whatever they hold, what holds of their items.
template <class T>
inline constexpr bool kMoves = std::is_move_assignable_v<T>;
template <class I, class A>
inline constexpr bool kMoves<std::vector<I, A>> = kMoves<I>;
template <class T>
inline constexpr bool kCopies = std::is_copy_assignable_v<T>;
template <class I, class A>
inline constexpr bool kCopies<std::vector<I, A>> = kCopies<I>&& std::is_copy_constructible_v<I>;

// What came is put in the place of what was there. No errors after this one.
template <class T>
constexpr bool CheckAssigned() {
  static_assert(
      kMoves<T>,
      "twinkle: what a method returns, what a Lazy holds and the items of a list are assigned when they come, "
      "and this type (the template argument) cannot be assigned: leave out the const of its members");
  return kMoves<T>;
}

}  // namespace twinkle::internal
