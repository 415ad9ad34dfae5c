// Which types can be assigned, so that a received value can take the place of another.
#pragma once

#include <type_traits>
#include <vector>

namespace twinkle::internal {

// std::vector says that it can be assigned whatever it holds; for lists the items decide.
template <class T>
inline constexpr bool kMoves = std::is_move_assignable_v<T>;
template <class I, class A>
inline constexpr bool kMoves<std::vector<I, A>> = kMoves<I>;
template <class T>
inline constexpr bool kCopies = std::is_copy_assignable_v<T>;
template <class I, class A>
inline constexpr bool kCopies<std::vector<I, A>> = kCopies<I>&& std::is_copy_constructible_v<I>;

// Fails to compile if a received value cannot be assigned. No further errors follow.
template <class T>
constexpr bool CheckAssigned() {
  static_assert(
      kMoves<T>,
      "twinkle: what a method returns, what a Lazy holds and the items of a list are assigned when they come, "
      "and this type (the template argument) cannot be assigned: leave out the const of its members");
  return kMoves<T>;
}

}  // namespace twinkle::internal
