// The functions of the library that the public templates call.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <twinkle/internal/class_info.h>
#include <twinkle/internal/export.h>
#include <twinkle/remote_options.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace twinkle::internal {

// The exception that is being handled, as a status; to be called in a handler. Includes the type if it is no
// std::exception. An exception that carries a status becomes that status.
TWINKLE_EXPORT absl::Status ThrownStatus();

// RemoteOptions in a variable: their call site is where New is called, not where they were made.
struct NamedOptions {
  NamedOptions(const RemoteOptions& given, CallSite here = CallSite::Here()) : options(given) {  // NOLINT
    options.site = here;
  }
  RemoteOptions options;
};

using LazyPtr = std::shared_ptr<LazyCore>;
using ComponentPtr = std::shared_ptr<const ComponentRef>;

TWINKLE_EXPORT bool LazyReady(const LazyPtr& lazy);
TWINKLE_EXPORT absl::Status LazyWait(const LazyPtr& lazy, absl::Duration limit);
TWINKLE_EXPORT absl::StatusOr<int64_t> LazySize(const LazyPtr& lazy);
TWINKLE_EXPORT const void* LazyAnswer(const LazyPtr& lazy);
TWINKLE_EXPORT void LazyCancel(const LazyPtr& lazy);
TWINKLE_EXPORT LazyPtr LazyRows(const LazyPtr& lazy, int64_t begin, int64_t end);
TWINKLE_EXPORT LazyPtr LazyTake(const LazyPtr& lazy, std::vector<int64_t> rows);
TWINKLE_EXPORT LazyPtr LazyRepeat(const LazyPtr& lazy, int64_t times);
// `member`: the member's address in `object`, which is of type `whole`.
TWINKLE_EXPORT LazyPtr LazyField(const LazyPtr& lazy, const Type& whole, void* object, const void* member,
                                 const Type& type, AnswerOps answer);
TWINKLE_EXPORT LazyPtr LazyConcat(std::vector<LazyPtr> lazies, const Type& type, AnswerOps answer);
// `types`: the types of the lazies, which are the members of a `whole`. Otherwise the lazy holds InvalidArgument.
TWINKLE_EXPORT LazyPtr LazyRecord(std::vector<LazyPtr> lazies, std::span<const Type* const> types, const Type& whole,
                                  AnswerOps answer);
// Whether an iterated method had no further item. Blocks until that is known.
TWINKLE_EXPORT bool LazyEnded(const LazyPtr& lazy);
TWINKLE_EXPORT bool LazyFailed(const LazyPtr& lazy);
TWINKLE_EXPORT absl::Status LazyWaitAll(std::span<const LazyPtr> lazies, absl::Duration limit);
TWINKLE_EXPORT absl::StatusOr<size_t> LazyWaitAny(std::span<const LazyPtr> lazies, absl::Duration limit);

TWINKLE_EXPORT LazyPtr StartCall(const ComponentRef* component, const MethodInfo& method, std::optional<int> rank,
                                 std::vector<CallArgument> arguments, CallSite site, const Type* collected,
                                 AnswerOps answer);
TWINKLE_EXPORT absl::StatusOr<ComponentPtr> StartNew(const ClassInfo& class_info, const ConstructorInfo& constructor,
                                                     RemoteOptions options, std::vector<CallArgument> arguments,
                                                     CallSite site);
TWINKLE_EXPORT absl::StatusOr<ComponentPtr> FindComponent(const std::string& name, const ClassInfo& class_info);
TWINKLE_EXPORT LazyPtr PutValue(const Type& type, std::shared_ptr<void> value, AnswerOps answer, CallSite site);

TWINKLE_EXPORT absl::Status ComponentWaitReady(const ComponentPtr& component, absl::Duration limit, CallSite site);
TWINKLE_EXPORT absl::Status ComponentRelease(const ComponentPtr& component, CallSite site);
TWINKLE_EXPORT void ComponentKill(const ComponentPtr& component, CallSite site);
TWINKLE_EXPORT std::string ComponentName(const ComponentPtr& component);
TWINKLE_EXPORT std::string ComponentGroup(const ComponentPtr& component);
TWINKLE_EXPORT int ComponentWorldSize(const ComponentPtr& component);

// The raw pointer that a method object keeps while its handle keeps the component; and the way back from it.
TWINKLE_EXPORT const ComponentRef* RawComponent(const ComponentPtr& component);
TWINKLE_EXPORT ComponentPtr ShareComponent(const ComponentRef* component);

}  // namespace twinkle::internal
