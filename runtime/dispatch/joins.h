// Joins of results of a type that is known: a function for each collect rule (collect_rules.h), or two.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/type.h>
#include <twinkle/rules.h>

#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

// The request for a join.
struct JoinRequest {
  Collect rule;
  const codec::Padding& padding;
  bool move;                          // results may be moved out
  const internal::Type& result;       // of each
  const std::vector<void*>& results;  // at least one; below a dict a null one is absent
  const internal::Type& collected;    // JoinedBy's
  void* out;                          // a default constructed `collected`
};

// The joins. Each takes results apart first that are tuples, or Values (value_joins.h). Errors as JoinResults
// (collect.h).
absl::Status JoinList(const JoinRequest& request);   // of the results
absl::Status TakeFirst(const JoinRequest& request);  // the first
absl::Status JoinItems(const JoinRequest& request);  // of lists and tensors, one level
absl::Status JoinMean(const JoinRequest& request);   // one number, or one for each member or key
absl::Status JoinSum(const JoinRequest& request);
absl::Status JoinMeanEach(const JoinRequest& request);  // element by element
absl::Status JoinSumEach(const JoinRequest& request);

// Joins each member of tuples and structs by itself, by `step`.
absl::Status JoinMembers(absl::Status (*step)(const JoinRequest& request), const JoinRequest& request);

// Joins Values by the rule's dynamic join.
absl::Status JoinDynamic(const JoinRequest& request);

}  // namespace twinkle::dispatch
