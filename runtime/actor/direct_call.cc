#include "runtime/actor/direct_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/actor/component_ref.h"
#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/dispatch/collect.h"
#include "runtime/object/assemble.h"

namespace twinkle::actor {
namespace {

using internal::Argument;
using internal::CallArgument;
using internal::LazyCore;
using internal::MethodInfo;
using internal::Outcome;
using internal::ParameterInfo;
using Kind = CallArgument::Kind;

absl::StatusOr<Argument> LazyArgumentValue(LazyCore& lazy, const codec::Type* type) {
  if (!lazy.WaitAnswered()) return lazy.GivenUp();  // the method that makes the call is cancelled
  // The lazy's failure is not looked at here: who looks at the call's looks at this one.
  TWINKLE_RETURN_IF_ERROR(lazy.status());
  const Argument value{std::const_pointer_cast<void>(lazy.value()), /*exclusive=*/false};
  if (type == nullptr) return value;
  return codec::Guarded([&] { return object::ForMethod(*type, value); });
}

absl::StatusOr<Argument> DirectArgument(CallArgument& argument, const ParameterInfo& parameter) {
  switch (argument.kind) {
    case Kind::kValue:
      return Argument{std::move(argument.value), /*exclusive=*/true};
    case Kind::kPerRank:
      if (argument.per_rank.size() != 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("PerRank has ", argument.per_rank.size(), " elements, but the call runs on one object"));
      }
      return DirectArgument(argument.per_rank[0], parameter);
    case Kind::kComponent:
      return Argument{parameter.from_component(argument.component), /*exclusive=*/true};
    case Kind::kLazy:
      break;
  }
  if (parameter.kind == ParameterInfo::Kind::kLazy) {
    return Argument{parameter.from_lazy(argument.lazy), /*exclusive=*/true};
  }
  return LazyArgumentValue(*argument.lazy, parameter.type);
}

// Joins one result, by the rule of the lazy's origin.
absl::StatusOr<std::shared_ptr<void>> JoinOne(const std::shared_ptr<void>& result, const internal::LazyOrigin& origin) {
  TWINKLE_RETURN_IF_ERROR(codec::Snapshot(*origin.result, result.get()));
  if (origin.as_it_is) return result;
  std::shared_ptr<void> collected = origin.collected->make();
  const std::vector<void*> results = {result.get()};
  if (origin.own_collect != nullptr) {
    TWINKLE_RETURN_IF_ERROR(origin.own_collect(results, origin.mesh.get(), collected.get()));
  } else {
    TWINKLE_RETURN_IF_ERROR(dispatch::JoinResults(origin.rule, origin.padding, *origin.result, results, /*move=*/true,
                                                  *origin.collected, collected.get()));
  }
  return collected;
}

}  // namespace

absl::StatusOr<std::vector<Argument>> DirectArguments(std::span<CallArgument> arguments,
                                                      std::span<const ParameterInfo> parameters) {
  std::vector<Argument> values;
  values.reserve(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::StatusOr<Argument> value = DirectArgument(arguments[i], parameters[i]);
    const char* const failed = arguments[i].kind == Kind::kLazy ? " failed" : "";
    if (!value.ok()) return base::Annotate(value.status(), absl::StrCat("its argument ", i + 1, failed));
    values.push_back(*std::move(value));
  }
  return values;
}

void SettleDirect(LazyCore& core, const MethodInfo& method, Outcome outcome, const CallFacts& facts,
                  std::vector<std::shared_ptr<object::Failure>> causes) {
  if (!outcome.status.ok()) return core.Fail(Failed(facts, outcome.status), std::move(causes));
  if (!outcome.more) return core.End();
  if (method.result == nullptr) return core.Succeed({});
  const auto joined = codec::Guarded([&] { return JoinOne(outcome.value, core.origin()); });
  if (!joined.ok()) return core.Fail(base::Annotate(joined.status(), absl::StrCat("collecting ", What(facts))));
  core.SucceedWith(*joined);
}

std::vector<std::shared_ptr<object::Failure>> FailuresOf(std::span<const CallArgument> arguments) {
  std::vector<std::shared_ptr<object::Failure>> failures;
  for (const CallArgument& argument : arguments) {
    if (argument.kind == Kind::kLazy && argument.lazy->failure() != nullptr)
      failures.push_back(argument.lazy->failure());
    for (auto& failure : FailuresOf(argument.per_rank)) failures.push_back(std::move(failure));
  }
  return failures;
}

}  // namespace twinkle::actor
