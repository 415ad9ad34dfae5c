// The options in the declaration of a remote class.
#pragma once

#include <twinkle/options.h>
#include <twinkle/rules.h>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace twinkle::internal {

template <class K, auto... options>
inline constexpr bool kGiven = (std::is_same_v<std::remove_const_t<decltype(options)>, K> || ...);

template <class K, auto... options>
inline constexpr int kCount = (static_cast<int>(std::is_same_v<std::remove_const_t<decltype(options)>, K>) + ... + 0);

// The option of type K among the options; `fallback` if there is none.
template <class K, auto... options>
constexpr K Pick(K fallback) {
  [[maybe_unused]] auto take = [&](auto option) {
    if constexpr (std::is_same_v<decltype(option), K>) fallback = option;
  };
  (take(options), ...);
  return fallback;
}

template <template <auto> class With, class Option>
struct FunctionIn {
  static constexpr std::nullptr_t kFunction = nullptr;
};
template <template <auto> class With, auto Function>
struct FunctionIn<With, With<Function>> {
  static constexpr auto kFunction = Function;
};
// The function in the option With<Function> among the options; null if there is none.
template <template <auto> class With, auto... options>
constexpr auto PickFunction() {
  if constexpr (sizeof...(options) == 0) {
    return nullptr;
  } else {
    return []<class First, class... Rest>(std::tuple<First, Rest...>*) {
      constexpr auto kPick = []<class A, class... B>(auto&& self, std::tuple<A, B...>*) {
        using In = FunctionIn<With, A>;
        if constexpr (!std::is_same_v<decltype(In::kFunction), const std::nullptr_t>) {
          return In::kFunction;
        } else if constexpr (sizeof...(B) > 0) {
          return self(self, static_cast<std::tuple<B...>*>(nullptr));
        } else {
          return nullptr;
        }
      };
      return kPick(kPick, static_cast<std::tuple<First, Rest...>*>(nullptr));
    }(static_cast<std::tuple<std::remove_const_t<decltype(options)>...>*>(nullptr));
  }
}

// Whether an option may be one of a class, or of a method.
template <class Option>
inline constexpr bool kIsClassOption = std::is_same_v<Option, Execute> || std::is_same_v<Option, MaxConcurrency>;
template <class Option>
inline constexpr bool kIsMethodOption =
    std::is_same_v<Option, Dispatch> || std::is_same_v<Option, Execute> || std::is_same_v<Option, Collect> ||
    std::is_same_v<Option, Pad> || std::is_same_v<Option, LazyCollect> || std::is_same_v<Option, Sync> ||
    std::is_same_v<Option, Timeout>;
template <auto function>
inline constexpr bool kIsMethodOption<DispatchWith<function>> = true;
template <auto function>
inline constexpr bool kIsMethodOption<CollectWith<function>> = true;
// Whether there is at most one option of each kind.
template <auto... options>
constexpr bool AllDifferent() {
  return ((kCount<std::remove_const_t<decltype(options)>, options...> == 1) && ...);
}

template <auto... options>
struct ClassOptions {
  static_assert(
      (kIsClassOption<std::remove_const_t<decltype(options)>> && ...),
      "twinkle: the options of a remote class are Execute and MaxConcurrency{n}; others belong to its methods");
  static_assert(AllDifferent<options...>(), "twinkle: an option of this remote class is given twice");
  static constexpr Execute kExecute = Pick<Execute, options...>(Execute::kAll);
  static constexpr int kMaxConcurrency = Pick<MaxConcurrency, options...>(MaxConcurrency{1}).value;
  static_assert(kMaxConcurrency >= 1, "twinkle: MaxConcurrency needs at least 1");
};

}  // namespace twinkle::internal
