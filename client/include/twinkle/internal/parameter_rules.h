// The types that parameters of remote methods may have, and which of them have rows.
#pragma once

#include <twinkle/internal/type.h>

#include <type_traits>
#include <variant>
#include <vector>

namespace twinkle::internal {

template <class Declared>
constexpr bool IsByValueOrConst() {
  return !std::is_reference_v<Declared> ||
         (std::is_lvalue_reference_v<Declared> && std::is_const_v<std::remove_reference_t<Declared>>);
}
template <class Declared>
struct CheckParameter {
  static_assert(
      IsByValueOrConst<Declared>(),
      "twinkle: a remote method takes its parameters by value or by const reference: what it writes to a non-const "
      "reference stays in another process; return it instead");
  static_assert(!kIsView<std::decay_t<Declared>>,
                "twinkle: a pointer or view as a parameter means nothing in another process: take the value itself "
                "(std::string, std::vector, twinkle::Bytes, twinkle::Array)");
  static constexpr bool kOk = true;
};

template <class P>
inline constexpr bool kIsList = false;
template <class T, class A>
inline constexpr bool kIsList<std::vector<T, A>> = true;
template <class T>
inline constexpr bool kIsList<Array<T>> = true;

// Whether Dispatch::kSlice splits all rows that values of the type have.
template <class P>
constexpr bool CanSlice();
template <class P>
struct CanSliceHeld {
  static constexpr bool kAll = CanSlice<typename P::value_type>();  // std::optional
};
template <class... A>
struct CanSliceHeld<std::variant<A...>> {
  static constexpr bool kAll = (CanSlice<A>() && ...);
};
template <class P>
constexpr bool CanSlice() {
  if constexpr (kIsReference<P> || kIsView<P>) {
    return true;
  } else {
    constexpr Kind kKind = KindOf<P>();
    if constexpr (kKind == Kind::kOptional || kKind == Kind::kVariant) {
      return CanSliceHeld<P>::kAll;
    } else {
      return kKind == Kind::kList || kKind == Kind::kArrayRef || kKind == Kind::kBools || !FactsOf<P>().has_rows;
    }
  }
}
template <class P>
constexpr bool MustNameDispatch() {
  if constexpr (kIsReference<P> || kIsView<P>) {
    return false;
  } else {
    return FactsOf<P>().has_rows;
  }
}

template <class P>
constexpr bool CanSliceDp() {
  if constexpr (kIsReference<P> || kIsView<P>) {
    return true;
  } else if constexpr (KindOf<P>() == Kind::kClass) {
    return HasRows<P> || SaysWhole<P>;
  } else {
    return true;
  }
}
// A list whose items are not one after another in memory.
template <class P>
constexpr bool IsLooseList() {
  if constexpr (kIsReference<P> || kIsView<P>) {
    return false;
  } else {
    return KindOf<P>() == Kind::kForeign && FactsOf<P>().has_rows;
  }
}

}  // namespace twinkle::internal
