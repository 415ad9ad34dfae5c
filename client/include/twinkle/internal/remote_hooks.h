// Hooks: how a handle finds its methods, and the runtime a class. TWINKLE_REMOTE_CLASS declares them beside the class.
#pragma once

#include <twinkle/internal/method.h>
#include <twinkle/internal/runtime.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace twinkle::internal {

// Names a class in its hooks, which are found by argument-dependent look-up.
template <class T>
struct Tag {
  using Class = T;
};
// Whether the class's definition has been seen.
template <class T>
concept IsComplete = requires {
  sizeof(T);
};

// The base of handles. Its members have names that no method has, because a user's method hides what has the same name.
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

constexpr bool IsReservedName(std::string_view name) { return name == "component" || name == "Rank"; }
constexpr bool AreDifferent(std::initializer_list<std::string_view> names) {
  for (const std::string_view* one = names.begin(); one != names.end(); ++one) {
    if (std::find(names.begin(), one, *one) != one) return false;
  }
  return true;
}

// The type in the list M whose method has this name.
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
    static_cast<void>(kRegistered);
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
  inline static const bool kRegistered = RegisterClass(&Made());
};

}  // namespace twinkle::internal
