#include "runtime/actor/call_arguments.h"

#include <absl/strings/str_cat.h>

#include "runtime/actor/component_ref.h"
#include "runtime/base/status.h"
#include "runtime/codec/codec.h"
#include "runtime/codec/guarded.h"

namespace twinkle::actor {

using internal::CallArgument;

namespace {

absl::Status SnapshotOne(const CallArgument& argument, const internal::ParameterInfo& parameter) {
  if (argument.kind == CallArgument::Kind::kValue) return codec::Snapshot(*parameter.type, argument.value.get());
  for (const CallArgument& element : argument.per_rank) TWINKLE_RETURN_IF_ERROR(SnapshotOne(element, parameter));
  return absl::OkStatus();
}

absl::Status CheckLazy(const internal::LazyCore* lazy, base::JobKey job) {
  if (lazy == nullptr) return absl::InvalidArgumentError("it is an empty Lazy");
  const auto& store = lazy->origin().store;
  return store == nullptr ? absl::OkStatus() : object::CheckSameJob(store->job(), job);
}

absl::Status CheckOne(const CallArgument& argument, bool leaves, base::JobKey job) {
  for (const CallArgument& element : argument.per_rank) TWINKLE_RETURN_IF_ERROR(CheckOne(element, leaves, job));
  if (argument.kind == CallArgument::Kind::kLazy) return CheckLazy(argument.lazy.get(), job);
  if (argument.kind != CallArgument::Kind::kComponent) return absl::OkStatus();
  if (argument.component == nullptr) return absl::InvalidArgumentError("it is an empty Remote");
  TWINKLE_RETURN_IF_ERROR(object::CheckSameJob(argument.component->calls->job(), job));
  return leaves ? argument.component->calls->CheckLeaves() : absl::OkStatus();
}

}  // namespace

absl::Status SnapshotArguments(const std::vector<CallArgument>& arguments,
                               std::span<const internal::ParameterInfo> parameters) {
  return codec::Guarded([&]() -> absl::Status {
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (const absl::Status one = SnapshotOne(arguments[i], parameters[i]); !one.ok()) {
        return base::Annotate(one, absl::StrCat("argument ", i + 1));
      }
    }
    return absl::OkStatus();
  });
}

absl::Status CheckArguments(const std::vector<CallArgument>& arguments, bool leaves, base::JobKey job) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    TWINKLE_RETURN_IF_ERROR(base::Annotate(CheckOne(arguments[i], leaves, job), absl::StrCat("argument ", i + 1)));
  }
  return absl::OkStatus();
}

}  // namespace twinkle::actor
