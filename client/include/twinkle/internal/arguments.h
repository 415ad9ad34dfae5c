// What may be given for a parameter: its value, a Lazy of it, or a PerRank of it.
#pragma once

#include <twinkle/internal/class_info.h>
#include <twinkle/lazy.h>
#include <twinkle/per_rank.h>

#include <concepts>
#include <memory>
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

// ---- from what was given to a CallArgument
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

}  // namespace internal
}  // namespace twinkle
