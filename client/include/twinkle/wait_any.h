// WaitAny and WaitAll: wait for several lazies of one type, which may be given in braces.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <twinkle/answer.h>
#include <twinkle/internal/runtime.h>
#include <twinkle/lazy.h>
#include <twinkle/wait_limit.h>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace twinkle {

// Blocks until one of the lazies has settled, with or without success. Returns its index. DeadlineExceeded: none has
// within the limit; InvalidArgument: there are no lazies.
template <class T>
Answer<size_t> WaitAny(std::span<const Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  std::vector<internal::LazyPtr> cores;
  for (const Lazy<T>& lazy : lazies) cores.push_back(internal::LazyAccess::Core(lazy));
  return internal::LazyWaitAny(cores, limit.left());
}
template <class T>
Answer<size_t> WaitAny(std::span<Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAny(std::span<const Lazy<T>>(lazies), limit);
}
template <class T>
Answer<size_t> WaitAny(const std::vector<Lazy<T>>& lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAny(std::span<const Lazy<T>>(lazies), limit);
}
template <class T>
Answer<size_t> WaitAny(std::initializer_list<Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAny(std::span<const Lazy<T>>(lazies.begin(), lazies.size()), limit);
}
template <class T, class... More>
Answer<size_t> WaitAny(const Lazy<T>&, const More&...) {
  static_assert(sizeof(Lazy<T>) == 0, "twinkle: WaitAny takes a list of lazies of one type: WaitAny({a, b})");
  return 0;
}

// Blocks until all lazies have settled. Returns the first failure, in their order, or OK. DeadlineExceeded: they have
// not within the limit.
template <class T>
absl::Status WaitAll(std::span<const Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  std::vector<internal::LazyPtr> cores;
  for (const Lazy<T>& lazy : lazies) cores.push_back(internal::LazyAccess::Core(lazy));
  return internal::LazyWaitAll(cores, limit.left());
}
template <class T>
absl::Status WaitAll(std::span<Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAll(std::span<const Lazy<T>>(lazies), limit);
}
template <class T>
absl::Status WaitAll(const std::vector<Lazy<T>>& lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAll(std::span<const Lazy<T>>(lazies), limit);
}
template <class T>
absl::Status WaitAll(std::initializer_list<Lazy<T>> lazies, WaitLimit limit = absl::InfiniteDuration()) {
  return WaitAll(std::span<const Lazy<T>>(lazies.begin(), lazies.size()), limit);
}
template <class T, class... More>
absl::Status WaitAll(const Lazy<T>&, const More&...) {
  static_assert(sizeof(Lazy<T>) == 0, "twinkle: WaitAll takes a list of lazies of one type: WaitAll({a, b})");
  return {};
}

}  // namespace twinkle
