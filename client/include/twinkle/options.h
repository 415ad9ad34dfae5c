// Options of remote classes and methods. Constant expressions, given in any order in TWINKLE_REMOTE_CLASS.
#pragma once

#include <twinkle/rules.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <type_traits>

namespace twinkle {

// Whether the call returns only when every rank has finished.
struct Sync {
  bool value;
};

// false: the result is collected by the time the call returns.
struct LazyCollect {
  bool value;
};

// How long the ranks may take, from the moment the arguments are known. The call then fails with DeadlineExceeded.
struct Timeout {
  constexpr explicit Timeout(std::chrono::nanoseconds limit) : nanoseconds(limit.count()) {}
  template <class Other>
  requires(!std::is_convertible_v<Other, std::chrono::nanoseconds> && !std::is_same_v<Other, Timeout>)  //
      constexpr explicit Timeout(Other)
      : nanoseconds(1) {
    static_assert(!std::is_arithmetic_v<Other>,
                  "twinkle: a Timeout of a bare number does not say of what: give a duration, as in "
                  "twinkle::Timeout{std::chrono::seconds(30)}");
    static_assert(std::is_arithmetic_v<Other>,
                  "twinkle: a Timeout is of one of std::chrono's whole durations, as in "
                  "twinkle::Timeout{std::chrono::seconds(30)}, because it is a constant");
  }
  int64_t nanoseconds;
};

// Of a class: that many of an object's calls may run at once, in threads of their own; they begin in order.
struct MaxConcurrency {
  int value;
};

// Under Collect::kFlatten and kFlattenDp: tensors of different inner shapes are filled up with the value, on the right
// of every dimension but the first.
struct Pad {
  constexpr explicit Pad(double value) : bits(std::bit_cast<uint64_t>(value)) {}
  constexpr double value() const { return std::bit_cast<double>(bits); }
  uint64_t bits;  // a template argument of floating point is more than clang++ 14 can do
};

// Own dispatch: absl::StatusOr<std::tuple<P…>> f(int length, int i, const std::tuple<P…>& args, const DeviceMesh* mesh)
// gives worker i's arguments (a plain tuple will do as well). Called once for each worker.
template <auto Function>
struct DispatchWith {};
template <auto Function>
inline constexpr DispatchWith<Function> DispatchBy{};  // NOLINT(readability-identifier-naming): reads like a type

// Own collect: absl::StatusOr<C> f(const std::vector<R>& all_results, const DeviceMesh* mesh); the call's Lazy holds a
// C (a plain C will do as well).
template <auto Function>
struct CollectWith {};
template <auto Function>
inline constexpr CollectWith<Function> CollectBy{};  // NOLINT(readability-identifier-naming)

}  // namespace twinkle
