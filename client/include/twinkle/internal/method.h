// From a member function and its options to the MethodInfo that the runtime runs.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/internal/class_info.h>
#include <twinkle/internal/collected.h>
#include <twinkle/internal/declared_options.h>
#include <twinkle/internal/own_rules.h>
#include <twinkle/internal/parameter_rules.h>
#include <twinkle/internal/signature.h>
#include <twinkle/lazy.h>
#include <twinkle/options.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace twinkle {

template <class T>
class Remote;

namespace internal {

// The outcome of an iterated method: what its optional holds.
template <class T>
Outcome ItemOutcome(Outcome outcome) {
  if (!outcome.status.ok()) return outcome;
  auto& item = *static_cast<std::optional<T>*>(outcome.value.get());
  if (!item) return {absl::OkStatus(), nullptr, false};
  return {absl::OkStatus(), std::make_shared<T>(*std::move(item)), true};
}

template <class T>
std::shared_ptr<void> LazyParameter(LazyPtr core) {
  return std::make_shared<Lazy<T>>(LazyAccess::Make<T>(std::move(core)));
}
template <class T>
std::shared_ptr<void> RemoteParameter(ComponentPtr component);

template <class P>
struct ParameterFor {
  static constexpr ParameterInfo Make() {
    ParameterInfo info;
    info.type = &kType<P>;
    return info;
  }
};
template <class T>
struct ParameterFor<Lazy<T>> {
  static constexpr ParameterInfo Make() {
    ParameterInfo info;
    info.kind = ParameterInfo::Kind::kLazy;
    info.type = CollectedTypeOf<T>();
    info.answer = AnswerOpsFor<T>();
    info.from_lazy = &LazyParameter<T>;
    return info;
  }
};
template <class T>
struct ParameterFor<Remote<T>> {
  static constexpr ParameterInfo Make() {
    ParameterInfo info;
    info.kind = ParameterInfo::Kind::kRemote;
    info.from_component = &RemoteParameter<T>;
    return info;
  }
};
template <class Values>
struct ParametersFor;
template <class... P>
struct ParametersFor<std::tuple<P...>> {
  static constexpr std::array<ParameterInfo, sizeof...(P)> kInfos = {ParameterFor<P>::Make()...};
};

// ---- the method
template <class C, class Options, FixedString name, auto member, auto... options>
struct Method {
  static constexpr auto kName = name;
  using MemberPointer = std::remove_const_t<decltype(member)>;
  static_assert(sizeof(CheckSignature<name, MemberPointer>) > 0);
  using Declared = typename Signature<MemberPointer>::Declared;
  using Values = typename Signature<MemberPointer>::Values;
  using Result = ResultOf<typename Signature<MemberPointer>::Return>;
  using Item = typename ItemOf<Result>::Type;
  static constexpr bool kIterated = ItemOf<Result>::kIterated;
  static constexpr Collect kCollect = Pick<Collect, options...>(Collect::kNone);
  // Without a dispatch nothing is split. What kSlice would split must have one (CheckParameters); a Value or optional
  // that happens to hold a list goes whole.
  static constexpr Dispatch kDispatch = Pick<Dispatch, options...>(Dispatch::kAll);
  static constexpr Execute kExecute = Pick<Execute, options...>(Execute::kAll);
  static constexpr auto kOwnDispatch = PickFunction<DispatchWith, options...>();
  static constexpr auto kOwnCollect = PickFunction<CollectWith, options...>();
  static constexpr bool kOwnsDispatch = !std::is_null_pointer_v<std::remove_const_t<decltype(kOwnDispatch)>>;
  static constexpr bool kOwnsCollect = !std::is_null_pointer_v<std::remove_const_t<decltype(kOwnCollect)>>;
  static constexpr bool kFirst = kExecute == Execute::kFirst || Options::kExecute == Execute::kFirst;
  static constexpr bool kNamesDispatch = kFirst || kOwnsDispatch || kGiven<Dispatch, options...>;
  using Collected = typename CollectedBy<kOwnCollect, Result, kCollect>::Type;

  static constexpr bool CheckParameters() {
    return []<class... D, class... P>(std::tuple<D...>*, std::tuple<P...>*) {
      constexpr bool kChecked = (CheckParameter<D>::kOk && ...);
      static_assert((kIsMethodOption<std::remove_const_t<decltype(options)>> && ...),
                    "twinkle: the options of a remote method are Dispatch, Execute, Collect, DispatchBy<&f>, "
                    "CollectBy<&f>, Pad{value}, LazyCollect{b}, Sync{b} and Timeout{duration}");
      static_assert(AllDifferent<options...>(), "twinkle: an option of this remote method is given twice");
      static_assert(Pick<Timeout, options...>(Timeout{std::chrono::nanoseconds(1)}).nanoseconds > 0,
                    "twinkle: the Timeout of this remote method is not above zero");
      static_assert(!kGiven<Pad, options...> || kCollect == Collect::kFlatten || kCollect == Collect::kFlattenDp,
                    "twinkle: Pad{value} belongs to Collect::kFlatten or kFlattenDp, and this remote method has "
                    "neither");
      static_assert(kNamesDispatch || !(IsLooseList<P>() || ...),
                    "twinkle: a parameter of this remote method is a deque or a list, which goes whole to all ranks: "
                    "say Dispatch::kAll, or take a std::vector, which can be split");
      static_assert(kNamesDispatch || !(kIsList<P> || ...),
                    "twinkle: a parameter of this remote method is a list: say how it is dispatched (Dispatch::kSlice, "
                    "Dispatch::kAll, Dispatch::kSliceDp, or DispatchBy<&function>)");
      static_assert(
          kNamesDispatch || ((kIsList<P> || IsLooseList<P>()) || ...) || !(MustNameDispatch<P>() || ...),
          "twinkle: a parameter of this remote method has rows (it is a Tensor, or a struct, map, optional or "
          "variant with a list or Tensor in it): say how it is dispatched (Dispatch::kAll, Dispatch::kSliceDp, "
          "or DispatchBy<&function>), or in the struct that it goes whole: "
          "static constexpr bool kTwinkleWhole = true;");
      static_assert(
          kDispatch != Dispatch::kSlice || kFirst || (CanSlice<P>() && ...),
          "twinkle: Dispatch::kSlice splits lists (std::vector, Array), and a parameter of this remote method "
          "has rows without being one (a Tensor, or a struct or map with a list or Tensor in it), so that every "
          "rank would get all of them: use Dispatch::kSliceDp, Dispatch::kAll or DispatchBy<&function>; what "
          "shall go whole beside a list stands in a struct with static constexpr bool kTwinkleWhole = true;");
      static_assert(
          kDispatch != Dispatch::kSliceDp || kFirst || !(IsLooseList<P>() || ...),
          "twinkle: Dispatch::kSliceDp splits lists that are std::vector or Array: take one of these instead of "
          "a deque or list");
      static_assert(
          kDispatch != Dispatch::kSliceDp || kFirst || (CanSliceDp<P>() && ...),
          "twinkle: Dispatch::kSliceDp cannot look into a class with serialize(): give it rows() and Slice(begin, "
          "end), or say that it goes whole: static constexpr bool kTwinkleWhole = true;");
      return kChecked;
    }(static_cast<Declared*>(nullptr), static_cast<Values*>(nullptr));
  }

  static Outcome Invoke(void* object, std::span<Argument> arguments) {
    const auto call = [&]<size_t... I>(std::index_sequence<I...>) {
      C& self = *static_cast<C*>(object);
      if constexpr (Signature<MemberPointer>::kProblem != MethodProblem::kNone) {
        return Outcome{};
      } else if constexpr (std::is_void_v<typename Signature<MemberPointer>::Return>) {
        std::invoke(member, self, Pass<std::tuple_element_t<I, Declared>>(arguments[I])...);
        return Outcome{};
      } else {
        return OutcomeOf(std::invoke(member, self, Pass<std::tuple_element_t<I, Declared>>(arguments[I])...));
      }
    };
    return Guarded([&] { return call(std::make_index_sequence<std::tuple_size_v<Values>>{}); });
  }
  static Outcome InvokeForItem(void* object, std::span<Argument> arguments) {
    return Guarded([&] { return ItemOutcome<Item>(Invoke(object, arguments)); });
  }

  static constexpr MethodInfo MakeInfo() {
    static_assert(CheckParameters());
    MethodInfo info;
    info.name = name.text;
    info.parameters = ParametersFor<Values>::kInfos;
    info.result = CollectedTypeOf<Result>();
    info.collected = CollectedTypeOf<Collected>();
    info.dispatch = kDispatch;
    info.execute = kExecute;
    info.collect = kCollect;
    info.padded = kGiven<Pad, options...>;
    info.pad_value = Pick<Pad, options...>(Pad{0}).value();
    if (kGiven<Sync, options...>) info.sync = Pick<Sync, options...>(Sync{false}).value;
    if (kGiven<LazyCollect, options...>) info.lazy_collect = Pick<LazyCollect, options...>(LazyCollect{true}).value;
    info.timeout_ns = Pick<Timeout, options...>(Timeout{std::chrono::nanoseconds(0)}).nanoseconds;
    info.invoke = &Method::Invoke;
    if constexpr (kOwnsDispatch) info.own_dispatch = &OwnDispatch<kOwnDispatch, Values>::Call;
    if constexpr (kOwnsCollect) info.own_collect = &OwnCollect<kOwnCollect, Result>::Call;
    return info;
  }
  static constexpr MethodInfo MakeEachInfo() {
    MethodInfo info = MakeInfo();
    if constexpr (kIterated && !kOwnsCollect) {
      info.each = true;
      info.result = CollectedTypeOf<Item>();
      info.collected = CollectedTypeOf<internal::Collected<Item, kCollect>>();
      info.invoke = &Method::InvokeForItem;
    }
    return info;
  }
  static constexpr MethodInfo kInfo = MakeInfo();
  static constexpr MethodInfo kEachInfo = MakeEachInfo();
};

}  // namespace internal
}  // namespace twinkle
