// Calls that run in the calling process without a message: on an object that stands for its whole component, or on this
// process's own object of a component of its group.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/internal/class_info.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/actor/failure.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// The arguments as the method takes them, whole. Blocks until lazies that are given by value have been collected.
// Errors: a failed lazy's status; InvalidArgument: a PerRank does not have exactly one element.
absl::StatusOr<std::vector<internal::Argument>> DirectArguments(std::span<internal::CallArgument> arguments,
                                                                std::span<const internal::ParameterInfo> parameters);

// Joins the one result by the method's rule and settles the lazy with it. The result of Rank(i) is left as it is.
void SettleDirect(internal::LazyCore& core, const internal::MethodInfo& method, internal::Outcome outcome,
                  const CallFacts& facts, std::vector<std::shared_ptr<object::Failure>> causes);

// The failures of arguments that are failed lazies.
std::vector<std::shared_ptr<object::Failure>> FailuresOf(std::span<const internal::CallArgument> arguments);

}  // namespace twinkle::actor
