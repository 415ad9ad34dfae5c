// From a member function's type to what is called and what is sent; and why a member cannot be remote.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/answer.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>

namespace twinkle::internal {

template <size_t N>
struct FixedString {
  char text[N];
  constexpr FixedString(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: a template argument
};

// Stands in a remote class's declaration for a name of which the class has not exactly one public method.
struct NoSuchMethod {};

enum class MethodProblem { kNone, kNoSuch, kStatic, kData, kKind };
template <MethodProblem problem>
struct BadSignature {  // stands for a method without parameters: no errors after the one that matters
  static constexpr MethodProblem kProblem = problem;
  using Return = void;
  using Declared = std::tuple<>;
  using Values = std::tuple<>;
};
template <class R, class... A>
struct GoodSignature {
  static constexpr MethodProblem kProblem = MethodProblem::kNone;
  using Return = R;
  using Declared = std::tuple<A...>;              // as they are written
  using Values = std::tuple<std::decay_t<A>...>;  // as they are sent
};
template <class M>
struct Signature : BadSignature<MethodProblem::kStatic> {};  // a function or variable of the class
template <>
struct Signature<NoSuchMethod> : BadSignature<MethodProblem::kNoSuch> {};
template <class C, class M>
struct Signature<M C::*> : BadSignature<std::is_function_v<M> ? MethodProblem::kKind : MethodProblem::kData> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)&> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const&> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) noexcept> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)& noexcept> : GoodSignature<R, A...> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const& noexcept> : GoodSignature<R, A...> {};

// Fails to compile with the reason for which a method cannot be remote. Its name is among the template arguments.
template <FixedString name, class M>
struct CheckSignature {
  static constexpr MethodProblem kProblem = Signature<M>::kProblem;
  static_assert(kProblem != MethodProblem::kNoSuch,
                "twinkle: the class has no one public method of this name: it is misspelt, private, overloaded or a "
                "template; an overload or instance gets a wrapper with a name of its own");
  static_assert(
      kProblem != MethodProblem::kStatic,
      "twinkle: a remote method runs on an object, and this one is static: make it an ordinary method, or wrap "
      "it in one");
  static_assert(kProblem != MethodProblem::kData,
                "twinkle: this is a data member, and remote are methods only: give the class a method that returns it");
  static_assert(
      kProblem != MethodProblem::kKind,
      "twinkle: a remote method is R F(A...), const or not: it is not volatile, not &&-qualified and has no C "
      "variadic parameters (...); wrap it in one that is");
};

template <class R>
struct Unwrapped {
  using Type = std::decay_t<R>;
};
template <class R>
struct Unwrapped<absl::StatusOr<R>> {
  using Type = R;
};
template <class R>
struct Unwrapped<Answer<R>> {
  using Type = R;
};
template <>
struct Unwrapped<absl::Status> {
  using Type = void;
};
template <>
struct Unwrapped<void> {
  using Type = void;
};
template <class R>
using ResultOf = typename Unwrapped<std::remove_cvref_t<R>>::Type;

template <class R>
struct ItemOf {  // of an iterated method's result
  static constexpr bool kIterated = false;
  using Type = void;
};
template <class T>
struct ItemOf<std::optional<T>> {
  static constexpr bool kIterated = true;
  using Type = T;
};

}  // namespace twinkle::internal
