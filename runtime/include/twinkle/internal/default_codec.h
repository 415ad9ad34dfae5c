// Types of the standard library and of Abseil that are sent without a Codec of the user's: known by what they can do
// where their headers would cost everybody time to compile. A Codec<T> of the user's goes before all of these.
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

// Whether T is an instance of a class template itself: what derives from one may hold more.
template <class T>
inline constexpr bool kIsInstance = false;
template <template <class...> class Template, class... A>
inline constexpr bool kIsInstance<Template<A...>> = true;

// Absl's flat_hash_map, node_hash_map and btree_map, and the like; the same for sets.
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
// std::deque, std::list: lists whose items are not one after another in memory.
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

// What is sent as its bytes: durations, points of the system's clock, std::complex.
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

// As Codec<T>. Without a Wire: there is none.
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
  using Wire = std::array<int64_t, 2>;  // whole seconds, and quarters of a nanosecond beside them
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
