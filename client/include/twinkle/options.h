// Options of remote classes and methods: constant expressions in TWINKLE_REMOTE_CLASS, in any order.
#pragma once

#include <twinkle/rules.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <type_traits>

namespace twinkle {

// true: the call returns only when every rank has finished.
struct Sync {
  bool value;
};

// false: the result is collected before the call returns.
struct LazyCollect {
  bool value;
};

// The time that the ranks may take once the arguments are known. After that the call fails with DeadlineExceeded.
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

// An option of classes: the number of calls of one object that may run at once, in threads of their own. They begin in
// order.
struct MaxConcurrency {
  int value;
};

// For Collect::kFlatten and kFlattenDp: tensors of different inner shapes are filled up with this value, at the end of
// every dimension but the first.
struct Pad {
  constexpr explicit Pad(double value) : bits(std::bit_cast<uint64_t>(value)) {}
  constexpr double value() const { return std::bit_cast<double>(bits); }
  uint64_t bits;  // because clang++ 14 takes no floating point as a template argument
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
