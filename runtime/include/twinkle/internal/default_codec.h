// Default codecs: how types of the standard library and of Abseil are sent without a user's Codec. They are recognised
// by their operations, where including their headers would make everything slower to compile. A user's Codec<T> comes
// first.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle::internal {

// Whether T itself is an instance of a class template: a class derived from one may hold more.
template <class T>
inline constexpr bool kIsInstance = false;
template <template <class...> class Template, class... A>
inline constexpr bool kIsInstance<Template<A...>> = true;

// Maps like Abseil's flat_hash_map, node_hash_map and btree_map; SetLike: sets likewise.
template <class T>
concept MapLike = kIsInstance<T> && requires(T& map, typename T::key_type key, typename T::mapped_type value) {
  { map.emplace(std::move(key), std::move(value)).second } -> std::convertible_to<bool>;
  map.begin()->second;
  map.clear();
};
template <class T>
concept SetLike = kIsInstance<T> && !requires {
  typename T::mapped_type;
}
&&requires(T& set, typename T::key_type key) {
  { set.insert(std::move(key)).second } -> std::convertible_to<bool>;
  set.clear();
};
// Lists whose items are not contiguous in memory: std::deque, std::list.
template <class T>
concept SequenceLike = kIsInstance<T> && requires(T& list, const typename T::value_type& item) {
  typename T::allocator_type;
  list.push_back(item);
  list.pop_front();
};
// std::filesystem::path.
template <class T>
concept PathLike = std::constructible_from<T, std::string> && requires(const T& path) {
  { path.native() } -> std::same_as<const std::string&>;
  { path.lexically_normal() } -> std::same_as<T>;
};

// Types that are sent as their bytes: durations, time points of the system clock, std::complex.
template <class T>
inline constexpr bool kIsPlainBits = false;
template <class Count, class Period>
inline constexpr bool kIsPlainBits<std::chrono::duration<Count, Period>> = std::is_arithmetic_v<Count>;
template <class Duration>
inline constexpr bool kIsPlainBits<std::chrono::time_point<std::chrono::system_clock, Duration>> =
    kIsPlainBits<Duration>;
template <template <class> class Complex, class Part>
requires std::is_floating_point_v<Part> && requires(const Complex<Part>& number) {
  { number.real() } -> std::same_as<Part>;
  { number.imag() } -> std::same_as<Part>;
}
inline constexpr bool kIsPlainBits<Complex<Part>> =
    sizeof(Complex<Part>) == 2 * sizeof(Part) && std::is_trivially_copyable_v<Complex<Part>>;

// A default codec, shaped like Codec<T>. Without a Wire: there is none.
template <class T>
struct DefaultCodec {};

template <SequenceLike T>
struct DefaultCodec<T> {
  using Wire = std::vector<typename T::value_type>;
  static Wire ToWire(const T& list) { return Wire(list.begin(), list.end()); }
  static absl::StatusOr<T> FromWire(Wire items) {
    T list;
    for (auto&& item : items) list.push_back(std::move(item));
    return list;
  }
};

template <PathLike T>
struct DefaultCodec<T> {
  using Wire = std::string;
  static Wire ToWire(const T& path) { return path.native(); }
  static absl::StatusOr<T> FromWire(Wire text) { return T(std::move(text)); }
};

template <>
struct DefaultCodec<absl::Duration> {
  using Wire = std::array<int64_t, 2>;  // whole seconds, and the rest in quarters of a nanosecond
  static constexpr int64_t kQuarters = 4'000'000'000;
  static Wire ToWire(const absl::Duration& duration) {
    absl::Duration rest;
    const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
    return {seconds, absl::IDivDuration(rest, absl::Nanoseconds(1) / 4, &rest)};
  }
  static absl::StatusOr<absl::Duration> FromWire(Wire wire) {
    if (wire[1] >= kQuarters) return absl::InfiniteDuration();
    if (wire[1] <= -kQuarters) return -absl::InfiniteDuration();
    return absl::Seconds(wire[0]) + wire[1] * (absl::Nanoseconds(1) / 4);
  }
};

template <>
struct DefaultCodec<absl::Time> {
  using Wire = absl::Duration;  // since 1970
  static Wire ToWire(const absl::Time& time) { return time - absl::UnixEpoch(); }
  static absl::StatusOr<absl::Time> FromWire(Wire since) { return absl::UnixEpoch() + since; }
};

}  // namespace twinkle::internal
