// The collect rules for the dynamic Value, whose results decide for themselves what they are.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/rules.h>
#include <twinkle/value.h>

#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

struct ValueRule {
  Collect rule = Collect::kNone;
  codec::Padding padding;
  bool move = false;  // results may be moved out
};

// Joins the results numbered `used`, in that order. The first of `results`, used or not, decides
// whether all are tuples. REQUIRES: at least one used. InvalidArgument as JoinResults.
absl::StatusOr<Value> JoinValues(const ValueRule& rule, const std::vector<Value*>& results,
                                 const std::vector<int>& used);

}  // namespace twinkle::dispatch
