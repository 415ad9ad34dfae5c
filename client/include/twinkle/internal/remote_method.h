// Method objects: the members of a handle through which remote methods are called.
#pragma once

#include <twinkle/internal/arguments.h>
#include <twinkle/internal/each_range.h>
#include <twinkle/internal/method.h>
#include <twinkle/internal/runtime.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle::internal {

// Converts from anything, also from a list in braces.
struct InBraces {
  InBraces() = default;
  template <class T>
  InBraces(T&&) {}  // NOLINT: converts
  InBraces(std::initializer_list<InBraces>) {}
};
// A function pointer with this number of parameters: Lazy<Result> (*)(InBraces, …).
template <class Result, class Numbers>
struct BraceCallOf;
template <class Result, size_t... I>
struct BraceCallOf<Result, std::index_sequence<I...>> {
  using Type = Lazy<Result> (*)(std::enable_if_t<(I >= 0), InBraces>...);
};
template <class Result, size_t count>
using BraceCall = typename BraceCallOf<Result, std::make_index_sequence<count>>::Type;

// The call operator of a method object. The first overload takes plain values, and so allows braces and conversions. As
// soon as one argument is a Lazy or PerRank, the second overload is chosen (it is a template, so that it loses where
// both would do). The third reports arguments that neither takes. An argument in braces has no type that the third
// could take; for such calls the object converts to a function, which C++ considers last, because the object itself
// must be converted.
template <class M, class Result, class Self, class Values>
class Callable;
template <class M, class Result, class Self, class... P>
class Callable<M, Result, Self, std::tuple<P...>> {
  static constexpr size_t kCount = sizeof...(P);

 public:
  Lazy<Result> operator()(P... arguments, CallSite site = CallSite::Here()) const {
    return Start(site, Arg<P>(std::move(arguments))...);
  }
  template <int = 0>
  Lazy<Result> operator()(Arg<P>... arguments, CallSite site = CallSite::Here()) const requires(kCount > 0) {
    return Start(site, std::move(arguments)...);
  }
  template <class... A>
  Lazy<Result> operator()(A&&...) const requires(!AreTaken<A...>(static_cast<std::tuple<P...>*>(nullptr))) {
    static_assert(CheckGiven<std::tuple<P...>, A...>());
    return {};
  }
  operator BraceCall<Result, kCount>() const requires(kCount > 0) {  // NOLINT: found by calls only
    static_assert(
        sizeof(M) == 0,
        "twinkle: what stands in braces in this remote call makes no value of its parameter's type, or stands "
        "beside a Lazy or PerRank: write the type before the braces, and the compiler says what is wrong "
        "with them");
    return nullptr;
  }
  // NOLINTNEXTLINE
  operator BraceCall<Result, kCount + 1>() const { return OtherCount(); }
  // NOLINTNEXTLINE
  operator BraceCall<Result, kCount == 0 ? 2 : kCount - 1>() const requires(kCount > 1) { return OtherCount(); }

 private:
  static std::nullptr_t OtherCount() {
    CheckCount<sizeof(M) == 0>();
    return nullptr;
  }
  template <class... A>
  Lazy<Result> Start(CallSite site, A... arguments) const {
    std::vector<CallArgument> given;
    given.reserve(sizeof...(A));
    (given.push_back(arguments.Take()), ...);
    const Self& self = static_cast<const Self&>(*this);
    return LazyAccess::Make<Result>(StartCall(self.component_, M::kInfo, self.rank_, std::move(given), site,
                                              CollectedTypeOf<Result>(), AnswerOpsFor<Result>()));
  }
};

// A method on all ranks of a component.
template <class M>
class RemoteMethod : public Callable<M, typename M::Collected, RemoteMethod<M>, typename M::Values> {
  static_assert(M::CheckParameters());  // where the class is declared, called or not

 public:
  explicit RemoteMethod(const ComponentRef* component) : component_(component) {}

  // Calls the method until a rank has no further item: for (const auto& item : loader.Next.Each()). Only whether there
  // is a further item reaches the program; the item stays with its owner.
  auto Each(CallSite site = CallSite::Here()) const {
    using T = Collected<typename M::Item, M::kCollect>;
    static_assert(M::kIterated, "twinkle: Each() needs a method that returns std::optional<T>, empty at the end");
    static_assert(std::tuple_size_v<typename M::Values> == 0, "twinkle: Each() needs a method without parameters");
    static_assert(!M::kOwnsCollect, "twinkle: Each() needs a named collect rule, not CollectBy");
    return EachRange<T>(ShareComponent(component_), site, [](const ComponentRef* component, CallSite from) {
      return StartCall(component, M::kEachInfo, std::nullopt, {}, from, CollectedTypeOf<T>(), AnswerOpsFor<T>());
    });
  }
  template <class First, class... More>
  EachRange<void> Each(const First&, const More&...) const {
    static_assert(sizeof(First) == 0, "twinkle: Each() takes no arguments, and its method has no parameters");
    return {nullptr, {}, nullptr};
  }

 private:
  friend class Callable<M, typename M::Collected, RemoteMethod<M>, typename M::Values>;
  // NOLINTNEXTLINE(readability-identifier-naming): other callables have a member of that name
  static constexpr std::optional<int> rank_ = std::nullopt;  // no single rank
  const ComponentRef* component_;
};

// A method on one rank.
template <class M>
class RankMethod : public Callable<M, typename M::Result, RankMethod<M>, typename M::Values> {
 public:
  RankMethod(const ComponentRef* component, int rank) : component_(component), rank_(rank) {}

  template <class... A>
  EachRange<void> Each(const A&...) const {
    static_assert(sizeof(M) == 0,
                  "twinkle: Each() goes over all ranks of a component; call the method of a single rank until what it "
                  "returns is empty");
    return {nullptr, {}, nullptr};
  }

 private:
  friend class Callable<M, typename M::Result, RankMethod<M>, typename M::Values>;
  const ComponentRef* component_;
  std::optional<int> rank_;
};

}  // namespace twinkle::internal
