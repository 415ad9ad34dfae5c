#include "runtime/dispatch/sum_each.h"

#include <absl/numeric/int128.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>

namespace twinkle::dispatch {
namespace {

constexpr size_t kBlock = 512;  // numbers whose sums are kept at once: they stay in the nearest cache

// The number at `from`, which may be a long long where T is a long.
template <class T>
T Load(const T* from) {
  T number;
  std::memcpy(&number, from, sizeof(T));
  return number;
}

template <class Sum, class T>
Sum AsSum(const T& number) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<Sum>(number);
  } else {
    return static_cast<Sum>(codec::Widened<double>(number));
  }
}

// The sum of integers as one of T, unless it does not fit.
template <class T>
bool Narrow(absl::int128 sum, T& number) {
  using Limits = std::numeric_limits<T>;
  if (sum < absl::int128(Limits::lowest()) || sum > absl::int128(Limits::max())) return false;
  number = static_cast<T>(sum);
  return true;
}

template <class T, class Sum>
bool Store(Sum sum, double divisor, T& number) {
  if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_same_v<Sum, double>) {
      return false;  // no rule makes integers of others
    } else {
      return Narrow(sum, number);
    }
  } else {
    number = codec::Narrowed<T>(static_cast<double>(sum) / divisor);
    return true;
  }
}

template <class Sum>
class Blocks {
 public:
  Blocks(NumberRun run, NumberFormat to, double divisor) : run_(run), to_(to), divisor_(divisor) {}

  bool Run(const std::vector<const void*>& parts, void* out) {
    for (size_t begin = 0; begin < run_.count; begin += kBlock) {
      const size_t count = std::min(kBlock, run_.count - begin);
      sums_.fill(0);
      for (const void* part : parts) Add(static_cast<const char*>(part) + begin * SizeOf(run_.format), count);
      if (!Write(static_cast<char*>(out) + begin * SizeOf(to_), count)) return false;
    }
    return true;
  }

 private:
  void Add(const void* part, size_t count) {
    WithNumbers(run_.format, part, [&](const auto* numbers) {
      for (size_t i = 0; i < count; ++i) sums_[i] += AsSum<Sum>(Load(numbers + i));
    });
  }
  bool Write(void* out, size_t count) {
    return WithNumbers(to_, out, [&](const auto* typed) {
      using T = std::remove_cvref_t<decltype(*typed)>;
      for (size_t i = 0; i < count; ++i) {
        T number;
        if (!Store(sums_[i], divisor_, number) || (to_.dtype == DType::kBool && sums_[i] > 1)) return false;
        std::memcpy(static_cast<char*>(out) + i * sizeof(T), &number, sizeof(T));
      }
      return true;
    });
  }

  const NumberRun run_;
  const NumberFormat to_;
  const double divisor_;
  std::array<Sum, kBlock> sums_;
};

}  // namespace

bool SumEach(bool mean, NumberRun run, const std::vector<const void*>& parts, NumberFormat to, void* out) {
  const double divisor = mean ? static_cast<double>(parts.size()) : 1;
  if (IsFloating(run.format)) return Blocks<double>(run, to, divisor).Run(parts, out);
  return Blocks<absl::int128>(run, to, divisor).Run(parts, out);
}

}  // namespace twinkle::dispatch
