// The arguments that may be given for a parameter: its value, a Lazy of it, or a PerRank of it.
#pragma once

#include <twinkle/internal/class_info.h>
#include <twinkle/lazy.h>
#include <twinkle/per_rank.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle {

template <class T>
class Remote;

namespace internal {

template <class T>
inline constexpr bool kIsReference<Remote<T>> = true;
template <class T>
inline constexpr bool kIsPerRank = false;
template <class P>
inline constexpr bool kIsPerRank<PerRank<P>> = true;

struct RemoteAccess {
  template <class T>
  static Remote<T> Make(ComponentPtr component) {
    return Remote<T>(std::move(component));
  }
  template <class T>
  static const ComponentPtr& Component(const Remote<T>& remote) {
    return remote.twinkle_component();
  }
};

template <class T>
std::shared_ptr<void> RemoteParameter(ComponentPtr component) {
  return std::make_shared<Remote<T>>(RemoteAccess::Make<T>(std::move(component)));
}

// ---- from a given argument to a CallArgument
template <class P, class V>
CallArgument ValueArgument(V&& value) {
  CallArgument argument;
  argument.value = std::make_shared<P>(std::forward<V>(value));
  return argument;
}
template <class T>
CallArgument LazyArgumentOf(const Lazy<T>& lazy) {
  CallArgument argument;
  argument.kind = CallArgument::Kind::kLazy;
  argument.lazy = LazyAccess::Core(lazy);
  return argument;
}
template <class T>
CallArgument RemoteArgumentOf(const Remote<T>& remote) {
  CallArgument argument;
  argument.kind = CallArgument::Kind::kComponent;
  argument.component = RemoteAccess::Component(remote);
  return argument;
}
template <class T>
CallArgument ElementOf(Lazy<T> lazy) {
  return LazyArgumentOf(lazy);
}
template <class T>
CallArgument ElementOf(Remote<T> remote) {
  return RemoteArgumentOf(remote);
}
template <class P>
CallArgument ElementOf(P value) {
  return ValueArgument<P>(std::move(value));
}
template <class P>
CallArgument PerRankArgumentOf(PerRank<P> elements) {
  CallArgument argument;
  argument.kind = CallArgument::Kind::kPerRank;
  std::vector<P> values = std::move(elements).elements();
  for (auto&& value : values) argument.per_rank.push_back(ElementOf<>(static_cast<P>(std::move(value))));
  return argument;
}

// A parameter of a remote method as its caller sees it.
template <class P>
class Arg {
 public:
  template <class V = P>
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): nothing converts an Arg to a P
  requires std::is_convertible_v<V&&, P> Arg(V&& value)
      : argument_(ValueArgument<P>(static_cast<P>(std::forward<V>(value)))) {}     // NOLINT: converts
  Arg(const Lazy<P>& lazy) : argument_(LazyArgumentOf(lazy)) {}                    // NOLINT
  Arg(PerRank<P> elements) : argument_(PerRankArgumentOf(std::move(elements))) {}  // NOLINT
  CallArgument Take() { return std::move(argument_); }

 private:
  CallArgument argument_;
};
template <class T>
class Arg<Lazy<T>> {  // the parameter is the reference itself
 public:
  Arg(const Lazy<T>& lazy) : argument_(LazyArgumentOf(lazy)) {}                          // NOLINT
  Arg(PerRank<Lazy<T>> elements) : argument_(PerRankArgumentOf(std::move(elements))) {}  // NOLINT
  CallArgument Take() { return std::move(argument_); }

 private:
  CallArgument argument_;
};
template <class T>
class Arg<Remote<T>> {
 public:
  Arg(const Remote<T>& remote) : argument_(RemoteArgumentOf(remote)) {}                    // NOLINT
  Arg(PerRank<Remote<T>> elements) : argument_(PerRankArgumentOf(std::move(elements))) {}  // NOLINT
  CallArgument Take() { return std::move(argument_); }

 private:
  CallArgument argument_;
};

// Whether a call takes arguments of these types for parameters P: all as values, or each as Arg does. A CallSite may
// follow.
template <class... A, class... P>
constexpr bool AreTaken(std::tuple<P...>*) {
  if constexpr (sizeof...(A) <= sizeof...(P)) {
    if constexpr (std::is_invocable_v<void (*)(P...), A...>) {
      return true;
    } else {
      return std::is_invocable_v<void (*)(Arg<P>...), A...>;
    }
  } else {
    return std::is_invocable_v<void (*)(P..., CallSite), A...> ||
           std::is_invocable_v<void (*)(Arg<P>..., CallSite), A...>;
  }
}

template <size_t number, class Parameter, class Given>
struct CheckArgument {
  static_assert(std::is_convertible_v<Given, Parameter> || std::is_convertible_v<Given, Arg<Parameter>>,
                "twinkle: an argument of this remote call is not what the method takes there, which is a value of the "
                "parameter's type, or a Lazy or PerRank of it (template arguments: the argument's number from 0 on, "
                "the parameter, what was given)");
  static constexpr bool kOk = true;
};
template <bool agrees>
constexpr bool CheckCount() {
  static_assert(agrees,
                "twinkle: this remote call has more or fewer arguments than the method has parameters; default "
                "arguments are not seen");
  return agrees;
}
// Fails to compile with the reason for which AreTaken is false.
template <class Parameters, class... A>
constexpr bool CheckGiven() {
  CheckCount<sizeof...(A) == std::tuple_size_v<Parameters>>();
  if constexpr (sizeof...(A) == std::tuple_size_v<Parameters>) {
    return []<size_t... I>(std::index_sequence<I...>) {
      return (CheckArgument<I, std::tuple_element_t<I, Parameters>, A>::kOk && ...);
    }
    (std::index_sequence_for<A...>{});
  } else {
    return true;
  }
}

}  // namespace internal
}  // namespace twinkle
