// New: from the given arguments to a constructor, which the ranks find by name.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/internal/arguments.h>
#include <twinkle/internal/method.h>
#include <twinkle/internal/remote_hooks.h>
#include <twinkle/internal/runtime.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle::internal {

// ---- types of constructor arguments
template <class A>
struct Travels {  // literals and views as std::string
  using Type = std::conditional_t<std::is_same_v<A, const char*> || std::is_same_v<A, char*> ||
                                      std::is_same_v<A, std::string_view>,
                                  std::string, A>;
};
template <class P>
struct Travels<PerRank<P>> : Travels<P> {};
template <class A>
using TravelsAs = typename Travels<std::decay_t<A>>::Type;

template <class A>
struct ByValue {
  using Type = A;
};
template <class T>
struct ByValue<Lazy<T>> {
  using Type = T;
};

template <class T>
concept HasCreate = requires {
  &T::Create;
}
|| requires { T::template Create<>; };
template <class T, class... A>
concept CanCreate = requires(A&&... arguments) {
  T::Create(std::forward<A>(arguments)...);
};
template <class T, class... A>
inline constexpr bool kCanMake = CanCreate<T, A...> || std::is_constructible_v<T, A...>;

// The outcome of Create, which returned a pointer to a T, or to a class derived from T.
template <class T, class Pointer>
Outcome MadeOutcome(Pointer made) {
  constexpr bool kPoints = std::is_constructible_v<std::shared_ptr<T>, Pointer>;
  static_assert(kPoints,
                "twinkle: New: the class's static Create returns a pointer to what it made (std::unique_ptr or "
                "std::shared_ptr of the class), or an absl::StatusOr of one, not the object itself");
  if constexpr (kPoints) {
    if (made == nullptr) return FailedOutcome(absl::InternalError("Create returned a null pointer"));
    return {absl::OkStatus(), std::shared_ptr<T>(std::move(made)), true};
  }
  return {};
}
template <class T, class Pointer>
Outcome MadeOutcome(absl::StatusOr<Pointer> made) {
  return made.ok() ? MadeOutcome<T>(*std::move(made)) : FailedOutcome(std::move(made).status());
}

// The constructor of T that takes these arguments: static Create where there is one, else T's own.
template <class T, class... A>
struct Constructor {
  static Outcome Construct(std::span<Argument> arguments) {
    const auto make = [&]<size_t... I>(std::index_sequence<I...>) {
      if constexpr (CanCreate<T, A...>) {
        return MadeOutcome<T>(T::Create(Pass<A>(arguments[I])...));
      } else {
        return Outcome{absl::OkStatus(), std::make_shared<T>(Pass<A>(arguments[I])...), true};
      }
    };
    return Guarded([&] { return make(std::index_sequence_for<A...>{}); });
  }
  static const ConstructorInfo& Info() {
    static_cast<void>(kRegistered);
    return kInfo;
  }

 private:
  static constexpr ConstructorInfo kInfo{TypeName<std::tuple<A...>>(), ParametersFor<std::tuple<A...>>::kInfos,
                                         &Constructor::Construct};
  inline static const bool kRegistered = RegisterConstructor(TypeName<T>(), &kInfo);
};

// A lazy argument goes by value, unless only a constructor that takes the Lazy itself fits.
template <class T, class... A>
struct ChooseConstructor {
  static constexpr bool kValues = kCanMake<T, typename ByValue<A>::Type...>;
  static constexpr bool kAbstract = std::is_abstract_v<T> && !HasCreate<T>;
  static constexpr bool kLasting = !std::is_destructible_v<T> && !HasCreate<T>;
  static_assert(!kAbstract,
                "twinkle: New: the class is abstract, so there are no objects of it: name a class that overrides its "
                "pure virtual methods, or give it a static Create that makes one");
  static_assert(!kLasting, "twinkle: New: the class's destructor is private, protected or deleted: make it public");
  static_assert(kValues || kCanMake<T, A...> || kAbstract || kLasting,
                "twinkle: New: the class has no constructor, and no static Create, that takes these arguments (a "
                "private one does not count)");
  using Type = std::conditional_t<kValues, Constructor<T, typename ByValue<A>::Type...>, Constructor<T, A...>>;
};

template <class A>
CallArgument ConstructorArgument(A&& given) {
  using D = std::decay_t<A>;
  static_assert(!std::is_same_v<D, std::nullopt_t>,
                "twinkle: New: std::nullopt does not say what it is none of, and the constructor's parameters are not "
                "seen here: write std::optional<T>()");
  if constexpr (kIsPerRank<D>) {
    using P = std::decay_t<decltype(given.elements()[0])>;
    static_assert(!kIsReference<P>, "twinkle: New: PerRank holds values, no Lazy and no Remote");
    std::vector<TravelsAs<P>> values(given.elements().begin(), given.elements().end());
    return PerRankArgumentOf(PerRank<TravelsAs<P>>(std::move(values)));
  } else if constexpr (requires { LazyArgumentOf(given); }) {
    return LazyArgumentOf(given);
  } else if constexpr (requires { RemoteArgumentOf(given); }) {
    return RemoteArgumentOf(given);
  } else {
    return ValueArgument<TravelsAs<A>>(std::forward<A>(given));
  }
}

template <class T, class... A>
absl::StatusOr<Remote<T>> NewOf(RemoteOptions options, A&&... arguments) {
  std::vector<CallArgument> given;
  given.reserve(sizeof...(A));
  (given.push_back(ConstructorArgument(std::forward<A>(arguments))), ...);
  using Chosen = typename ChooseConstructor<T, TravelsAs<A>...>::Type;
  const CallSite site = options.site;
  absl::StatusOr<ComponentPtr> component =
      StartNew(ClassDescription<T>::Info(), Chosen::Info(), std::move(options), std::move(given), site);
  if (!component.ok()) return std::move(component).status();
  return RemoteAccess::Make<T>(*std::move(component));
}

}  // namespace twinkle::internal
