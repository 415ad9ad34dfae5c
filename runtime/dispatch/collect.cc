#include "runtime/dispatch/collect.h"

#include <utility>

#include "runtime/base/status.h"
#include "runtime/dispatch/collect_rules.h"

namespace twinkle::dispatch {
namespace {

using internal::Kind;

absl::Status JoinTyped(const JoinRequest& request) {
  if (request.result.kind == request.collected.kind) {
    if (request.result.kind == Kind::kValue) return JoinDynamic(request);
    if (request.result.kind == Kind::kTuple) return JoinMembers(&JoinTyped, request);
  }
  return RuleOf(request.rule).typed(request);
}

}  // namespace

absl::Status JoinResults(Collect rule, const codec::Padding& padding, const internal::Type& result,
                         const std::vector<void*>& results, bool move, const internal::Type& collected, void* out) {
  if (results.empty()) return absl::InternalError("no results to join");
  return JoinTyped({rule, padding, move, result, results, collected, out});
}

absl::StatusOr<Value> CollectValues(Collect rule, const codec::Padding& padding, std::vector<Value> results,
                                    const DeviceMesh* mesh, bool local) {
  if (results.empty()) return Value(Value::List());
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> used,
                           UsedWorkers(rule, static_cast<int>(results.size()), mesh, local));
  std::vector<Value*> parts;
  parts.reserve(results.size());
  for (Value& result : results) parts.push_back(&result);
  return JoinValues({rule, padding, /*move=*/true}, parts, used);
}

}  // namespace twinkle::dispatch
