#include "runtime/dispatch/value_joins.h"

#include <absl/strings/str_cat.h>

#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/flatten_value.h"
#include "runtime/dispatch/by_key.h"
#include "runtime/dispatch/collect_each.h"
#include "runtime/dispatch/collect_rules.h"
#include "runtime/dispatch/reduce.h"

namespace twinkle::dispatch {
namespace {

using internal::kType;

std::string Describe(const Value* value) { return codec::Describe(kType<Value>, value); }

std::vector<void*> Erase(const std::vector<Value*>& values) { return std::vector<void*>(values.begin(), values.end()); }

Value Take(Value* value, bool move) { return move ? std::move(*value) : *value; }

Value ListOf(const std::vector<Value*>& values, bool move) {
  Value::List list;
  list.reserve(values.size());
  for (Value* value : values) {
    if (value != nullptr) list.push_back(Take(value, move));
  }
  return Value(std::move(list));
}

// ---- tuples: element by element
absl::Status CheckTuples(const std::vector<Value*>& results) {
  const size_t length = results[0]->get_if<Value::Tuple>()->items.size();
  for (size_t i = 1; i < results.size(); ++i) {
    const auto* tuple = results[i]->get_if<Value::Tuple>();
    if (tuple == nullptr) {
      return base::Refuse("not_a_tuple", absl::StrCat("result ", i, " is ", Describe(results[i]),
                                                      ", but result 0 is a tuple: either all are, or none"));
    }
    if (tuple->items.size() != length) {
      return base::Refuse("tuple_length_mismatch", absl::StrCat("result ", i, " is a tuple of ", tuple->items.size(),
                                                                ", but result 0 is one of ", length,
                                                                ": tuples are collected element by element"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> JoinTuples(const ValueRule& rule, const std::vector<Value*>& results,
                                 const std::vector<int>& used) {
  TWINKLE_RETURN_IF_ERROR(CheckTuples(results));
  const size_t length = results[0]->get_if<Value::Tuple>()->items.size();
  Value::List joined;
  for (size_t element = 0; element < length; ++element) {
    std::vector<Value*> elements;
    elements.reserve(results.size());
    for (Value* result : results) {
      elements.push_back(&result->get_if<Value::Tuple>()->items[element]);
    }
    auto collected = JoinValues(rule, elements, used);
    if (!collected.ok()) {
      return base::Annotate(collected.status(), absl::StrCat("tuple element ", element));
    }
    joined.push_back(*std::move(collected));
  }
  return Value(std::move(joined));
}

// ---- sums and means
absl::StatusOr<Value> ReduceValues(bool mean, const std::vector<Value*>& parts) {
  TWINKLE_ASSIGN_OR_RETURN(const Reduced reduced, Reduce(mean, kType<Value>, Erase(parts)));
  return reduced.integer ? Value(reduced.as_integer) : Value(reduced.as_float);
}

absl::StatusOr<ByKey<Value>> ValuesByKey(const std::vector<Value*>& results) {
  ByKey<Value> by_key(results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    auto* dict = results[i]->get_if<Value::Dict>();
    if (dict == nullptr) {
      return base::Refuse("not_a_dict", absl::StrCat("result ", i, " is ", Describe(results[i]),
                                                     ", but result 0 is a dict: either all are, or none"));
    }
    for (auto& [key, value] : *dict) by_key.Add(i, key, &value);
  }
  return by_key;
}

absl::StatusOr<Value> ReduceDicts(bool mean, const ValueRequest& request) {
  TWINKLE_ASSIGN_OR_RETURN(const ByKey<Value> by_key, ValuesByKey(request.results));
  Value::Dict reduced;
  for (const auto& [key, values] : by_key) {
    absl::StatusOr<Value> value = ReduceValues(mean, values);
    if (!value.ok()) {
      if (!mean) return base::Annotate(value.status(), absl::StrCat("at '", key, "'"));
      value = ListOf(values, request.rule.move);  // metrics may carry names beside the numbers
    }
    reduced.emplace(key, *std::move(value));
  }
  return Value(std::move(reduced));
}

absl::StatusOr<Value> ReduceAny(bool mean, const ValueRequest& request) {
  if (request.results[0]->get_if<Value::Dict>() != nullptr) return ReduceDicts(mean, request);
  return ReduceValues(mean, request.results);
}

absl::StatusOr<Value> ReduceEach(bool mean, const ValueRequest& request) {
  Value joined;
  TWINKLE_RETURN_IF_ERROR(JoinEach(mean, kType<Value>, Erase(request.results), kType<Value>, &joined));
  return joined;
}

}  // namespace

absl::StatusOr<Value> JoinValues(const ValueRule& rule, const std::vector<Value*>& results,
                                 const std::vector<int>& used) {
  if (results[0]->get_if<Value::Tuple>() != nullptr) return JoinTuples(rule, results, used);
  std::vector<Value*> picked;
  picked.reserve(used.size());
  for (int worker : used) picked.push_back(results[static_cast<size_t>(worker)]);
  return RuleOf(rule.rule).dynamic({rule, picked});
}

absl::StatusOr<Value> ListOfValues(const ValueRequest& request) { return ListOf(request.results, request.rule.move); }

absl::StatusOr<Value> OneOrListOfValues(const ValueRequest& request) {
  return request.results.size() == 1 ? FirstOfValues(request) : ListOfValues(request);
}

absl::StatusOr<Value> FirstOfValues(const ValueRequest& request) { return Take(request.results[0], request.rule.move); }

absl::StatusOr<Value> ItemsOfValues(const ValueRequest& request) {
  Value joined;
  TWINKLE_RETURN_IF_ERROR(
      codec::FlattenValues(Erase(request.results), request.rule.move, request.rule.padding, joined));
  return joined;
}

absl::StatusOr<Value> MeanOfValues(const ValueRequest& request) { return ReduceAny(/*mean=*/true, request); }

absl::StatusOr<Value> SumOfValues(const ValueRequest& request) { return ReduceAny(/*mean=*/false, request); }

absl::StatusOr<Value> MeanOfEachValue(const ValueRequest& request) { return ReduceEach(/*mean=*/true, request); }

absl::StatusOr<Value> SumOfEachValue(const ValueRequest& request) { return ReduceEach(/*mean=*/false, request); }

}  // namespace twinkle::dispatch
