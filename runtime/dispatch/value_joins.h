// Joins of results that are the dynamic Value: a function for each collect rule (collect_rules.h), or two. The results
// decide for themselves what they are.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/rules.h>
#include <twinkle/value.h>

#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

// A rule, and what else its join is told.
struct ValueRule {
  Collect rule = Collect::kNone;
  codec::Padding padding;
  bool move = false;  // results may be moved out
};

// Joins the results numbered `used`, in that order. The first of `results`, used or not, decides whether all are
// tuples, which are joined element by element. REQUIRES: at least one used. InvalidArgument as JoinResults (collect.h).
absl::StatusOr<Value> JoinValues(const ValueRule& rule, const std::vector<Value*>& results,
                                 const std::vector<int>& used);

// The request for a join.
struct ValueRequest {
  const ValueRule& rule;
  const std::vector<Value*>& results;  // at least one; tuples have been taken apart
};

absl::StatusOr<Value> ListOfValues(const ValueRequest& request);
absl::StatusOr<Value> OneOrListOfValues(const ValueRequest& request);  // a single one is itself
absl::StatusOr<Value> FirstOfValues(const ValueRequest& request);
absl::StatusOr<Value> ItemsOfValues(const ValueRequest& request);  // of lists and tensors, one level
absl::StatusOr<Value> MeanOfValues(const ValueRequest& request);   // one number; of dicts one for each key
absl::StatusOr<Value> SumOfValues(const ValueRequest& request);
absl::StatusOr<Value> MeanOfEachValue(const ValueRequest& request);  // element by element
absl::StatusOr<Value> SumOfEachValue(const ValueRequest& request);

}  // namespace twinkle::dispatch
