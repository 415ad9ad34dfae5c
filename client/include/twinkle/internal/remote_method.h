// The method objects that a handle has as members, and where a handle finds them.
#pragma once

#include <twinkle/internal/arguments.h>
#include <twinkle/internal/method.h>
#include <twinkle/internal/runtime.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace twinkle::internal {

// Names the class in the hooks that TWINKLE_REMOTE_CLASS declares beside it; found by argument-dependent look-up.
template <class T>
struct Tag {
  using Class = T;
};

// Their members have names that no method has: a user's method hides what it shares a name with.
class RemoteBase {
 public:
  explicit RemoteBase(ComponentPtr component) : twinkle_component_(std::move(component)) {}
  const ComponentPtr& twinkle_component() const { return twinkle_component_; }

 protected:
  const ComponentRef* twinkle_raw() const { return RawComponent(twinkle_component_); }

 private:
  ComponentPtr twinkle_component_;
};
class RankBase : public RemoteBase {
 public:
  RankBase(ComponentPtr component, int rank) : RemoteBase(std::move(component)), twinkle_rank_(rank) {}

 protected:
  int twinkle_rank() const { return twinkle_rank_; }

 private:
  int twinkle_rank_;
};

// What an iterated method's Each() gives: a single-pass range of lazies. It ends when any rank has no more; a Next that
// fails gives one lazy that holds the failure, and then the end.
template <class T>
class EachRange {
 public:
  using Start = LazyPtr (*)(const ComponentRef*, CallSite);
  EachRange(ComponentPtr component, CallSite site, Start start)
      : component_(std::move(component)), site_(site), start_(start) {}

  class iterator {
   public:
    using value_type = Lazy<T>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const Lazy<T>*;
    using reference = const Lazy<T>&;

    iterator() = default;
    explicit iterator(const EachRange* range) : range_(range) { Next(); }
    reference operator*() const { return current_; }
    pointer operator->() const { return &current_; }
    iterator& operator++() {
      Next();
      return *this;
    }
    void operator++(int) { Next(); }
    bool operator==(const iterator& other) const { return range_ == other.range_; }

   private:
    void Next() {
      if (failed_) {
        range_ = nullptr;
        return;
      }
      LazyPtr core = range_->start_(RawComponent(range_->component_), range_->site_);
      if (LazyEnded(core)) {
        range_ = nullptr;
        return;
      }
      failed_ = LazyFailed(core);
      current_ = LazyAccess::Make<T>(std::move(core));
    }

    const EachRange* range_ = nullptr;  // null at the end
    Lazy<T> current_;
    bool failed_ = false;
  };

  iterator begin() const { return iterator(this); }
  iterator end() const { return {}; }

 private:
  ComponentPtr component_;  // the handle may be a temporary
  CallSite site_;
  Start start_;
};

// The call operator of a method object. Plain values keep braces and conversions; as soon as one argument is a Lazy or
// PerRank the second overload is taken (a template, so that it loses where both would do). The third says what is wrong
// with arguments that neither takes.
template <class M, class Result, class Self, class Values>
class Callable;
template <class M, class Result, class Self, class... P>
class Callable<M, Result, Self, std::tuple<P...>> {
 public:
  Lazy<Result> operator()(P... arguments, CallSite site = CallSite::Here()) const {
    return Start(site, Arg<P>(std::move(arguments))...);
  }
  template <int = 0>
  Lazy<Result> operator()(Arg<P>... arguments, CallSite site = CallSite::Here()) const requires(sizeof...(P) > 0) {
    return Start(site, std::move(arguments)...);
  }
  template <class... A>
  Lazy<Result> operator()(A&&...) const requires(!AreTaken<A...>(static_cast<std::tuple<P...>*>(nullptr))) {
    static_assert(CheckGiven<std::tuple<P...>, A...>());
    return {};
  }

 private:
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

// A method on all of a component's ranks.
template <class M>
class RemoteMethod : public Callable<M, typename M::Collected, RemoteMethod<M>, typename M::Values> {
  static_assert(M::CheckParameters());  // where the class is declared, called or not

 public:
  explicit RemoteMethod(const ComponentRef* component) : component_(component) {}

  // for (const auto& item : loader.Next.Each()): calls until a rank has no more. Only whether there is more reaches the
  // program; the item stays with its owner.
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
  static constexpr std::optional<int> rank_ = std::nullopt;
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

constexpr bool IsReservedName(std::string_view name) { return name == "component" || name == "Rank"; }
constexpr bool AreDifferent(std::initializer_list<std::string_view> names) {
  for (const std::string_view* one = names.begin(); one != names.end(); ++one) {
    if (std::find(names.begin(), one, *one) != one) return false;
  }
  return true;
}

// The type in the list whose method is called that.
template <FixedString name, class... M>
struct MethodNamed {};
template <FixedString name, class First, class... Rest>
struct MethodNamed<name, First, Rest...> : MethodNamed<name, Rest...> {};
template <FixedString name, class First, class... Rest>
requires(std::string_view(First::kName.text) == std::string_view(name.text)) struct MethodNamed<name, First, Rest...> {
  using Type = First;
};

template <class Options, class... M>
struct MethodList {
  using ClassOptions = Options;
  template <FixedString name>
  using Named = typename MethodNamed<name, M...>::Type;
  static void AddTo(std::vector<MethodInfo>& infos) { (Add<M>(infos), ...); }

 private:
  template <class One>
  static void Add(std::vector<MethodInfo>& infos) {
    infos.push_back(One::kInfo);
    if (One::kEachInfo.each) infos.push_back(One::kEachInfo);
  }
};

template <class T>
concept DeclaredRemote = requires {
  TwinkleRemoteHook(Tag<T>{});
};

template <class T>
struct HooksOf {
  static_assert(DeclaredRemote<T>,
                "twinkle: this class is not remote: declare it with TWINKLE_REMOTE_CLASS, in its namespace, before a "
                "Remote of it is used; a method whose body uses a Remote of its own class is defined behind that "
                "declaration, outside the class");
  // No errors after the one that matters.
  using Methods = RemoteBase;
  using RankMethods = RankBase;
  using List = MethodList<ClassOptions<>>;
};
template <DeclaredRemote T>
struct HooksOf<T> {
  using Methods = decltype(TwinkleRemoteHook(Tag<T>{}));
  using RankMethods = decltype(TwinkleRankHook(Tag<T>{}));
  using List = decltype(TwinkleMethodsHook(Tag<T>{}));
};
template <class T>
using MethodsOf = typename HooksOf<T>::Methods;
template <class T>
using RankMethodsOf = typename HooksOf<T>::RankMethods;

// The class as the runtime knows it, registered before main wherever a handle to it is made.
template <class T>
struct ClassDescription {
  static const ClassInfo& Info() {
    static_cast<void>(registered);
    return Made();
  }

 private:
  static const ClassInfo& Made() {
    static const ClassInfo* info = [] {
      using Options = typename HooksOf<T>::List::ClassOptions;
      auto* made = new ClassInfo;  // never destroyed: worker threads may outlive static destructors
      made->name = TypeName<T>();
      made->execute = Options::kExecute;
      made->max_concurrency = Options::kMaxConcurrency;
      HooksOf<T>::List::AddTo(made->methods);
      return made;
    }();
    return *info;
  }
  inline static const bool registered = RegisterClass(&Made());
};

}  // namespace twinkle::internal
