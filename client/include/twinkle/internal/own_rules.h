// Calls of the user's code: with the arguments that came, and with exceptions turned into statuses; and own dispatch
// and collect functions.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/internal/class_info.h>
#include <twinkle/internal/collected.h>
#include <twinkle/internal/runtime.h>
#include <twinkle/internal/signature.h>

#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle::internal {

inline Outcome FailedOutcome(absl::Status status) { return {std::move(status), nullptr, true}; }

// Runs f, which returns an Outcome. What it throws becomes the outcome's status.
template <class F>
Outcome Guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    return FailedOutcome(ThrownStatus());
  }
}

// An argument in the form that the declared parameter takes.
template <class Declared>
decltype(auto) Pass(Argument& argument) {
  using Value = std::decay_t<Declared>;
  Value& value = *static_cast<Value*>(argument.value.get());
  if constexpr (std::is_lvalue_reference_v<Declared>) {
    return static_cast<const Value&>(value);
  } else if constexpr (std::is_copy_constructible_v<Value>) {
    return argument.exclusive ? Value(std::move(value)) : Value(value);
  } else {
    return Value(std::move(value));
  }
}

template <class R>
Outcome OutcomeOf(R&& result) {
  using Plain = std::remove_cvref_t<R>;
  if constexpr (std::is_same_v<Plain, absl::Status>) {
    return FailedOutcome(std::forward<R>(result));
  } else if constexpr (requires { typename Plain::value_type; } &&
                       std::is_base_of_v<absl::StatusOr<ResultOf<R>>, Plain>) {
    if (!result.ok()) return FailedOutcome(std::forward<R>(result).status());
    return {absl::OkStatus(), std::make_shared<ResultOf<R>>(*std::forward<R>(result)), true};
  } else {
    return {absl::OkStatus(), std::make_shared<Plain>(std::forward<R>(result)), true};
  }
}

template <auto function, class Values>
struct OwnDispatch;
template <auto function, class... P>
struct OwnDispatch<function, std::tuple<P...>> {
  using Args = std::tuple<P...>;
  static_assert(!(kIsReference<P> || ...),
                "twinkle: an own dispatch takes values only: no Lazy and no Remote among the method's parameters");
  static_assert(
      std::is_invocable_v<decltype(function), int, int, const Args&, const DeviceMesh*>,
      "twinkle: an own dispatch is absl::StatusOr<std::tuple<P...>> f(int length, int i, const std::tuple<P...>& "
      "args, const DeviceMesh* mesh), P... being the method's parameters without const and reference");
  static_assert(
      std::is_same_v<ResultOf<std::invoke_result_t<decltype(function), int, int, const Args&, const DeviceMesh*>>,
                     Args>,
      "twinkle: an own dispatch returns std::tuple<P...>, or absl::StatusOr of it, with the very types of the method's "
      "parameters (without const and reference)");

  static absl::Status Call(int length, int index, std::span<const Argument> arguments, const DeviceMesh* mesh,
                           std::vector<Argument>* out) {
    const Outcome outcome = Guarded([&] {
      const Args args = [&]<size_t... I>(std::index_sequence<I...>) {
        return Args(*static_cast<const P*>(arguments[I].value.get())...);
      }
      (std::index_sequence_for<P...>{});
      return OutcomeOf(function(length, index, args, mesh));
    });
    if (!outcome.status.ok()) return outcome.status;
    Args& mine = *static_cast<Args*>(outcome.value.get());
    [&]<size_t... I>(std::index_sequence<I...>) {
      (out->push_back({std::make_shared<P>(std::get<I>(std::move(mine))), true}), ...);
    }
    (std::index_sequence_for<P...>{});
    return absl::OkStatus();
  }
};

template <auto function, class R>
struct OwnCollect {
  static_assert(
      std::is_invocable_v<decltype(function), const std::vector<R>&, const DeviceMesh*>,
      "twinkle: an own collect is absl::StatusOr<C> f(const std::vector<R>& all_results, const DeviceMesh* mesh), R "
      "being the method's result");
  using Type = ResultOf<decltype(function(std::declval<const std::vector<R>&>(), nullptr))>;

  static absl::Status Call(const std::vector<void*>& results, const DeviceMesh* mesh, void* out) {
    const Outcome outcome = Guarded([&] {
      std::vector<R> all;
      all.reserve(results.size());
      for (void* result : results) all.push_back(std::move(*static_cast<R*>(result)));
      return OutcomeOf(function(all, mesh));
    });
    if (outcome.status.ok()) *static_cast<Type*>(out) = std::move(*static_cast<Type*>(outcome.value.get()));
    return outcome.status;
  }
};

template <auto function, class R, Collect rule>
struct CollectedBy {
  using Type = typename OwnCollect<function, R>::Type;
};
template <auto function, class R, Collect rule>
requires(std::is_null_pointer_v<decltype(function)>) struct CollectedBy<function, R, rule> {
  using Type = Collected<R, rule>;
};

}  // namespace twinkle::internal
