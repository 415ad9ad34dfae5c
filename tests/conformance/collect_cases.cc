#include <absl/strings/str_cat.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/dispatch/collect.h"
#include "runtime/dispatch/collect_rules.h"
#include "runtime/dispatch/reduce.h"
#include "tests/conformance/cases.h"

namespace twinkle::conformance {
namespace {

using dispatch::Reduced;

absl::StatusOr<std::vector<Value>> ResultsOf(const Json& golden) {
  std::vector<Value> results;
  for (const Json& result : golden.at("results")) {
    TWINKLE_ASSIGN_OR_RETURN(results.emplace_back(), ValueOf(result));
  }
  return results;
}

// What the library does with the case's results, the first error first.
absl::StatusOr<Value> Run(const Json& golden, const std::vector<Value>& results) {
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<DeviceMesh> mesh, MeshOfCase(golden));
  TWINKLE_ASSIGN_OR_RETURN(const Collect rule, dispatch::CollectNamed(golden.at("policy").get<std::string>()));
  return dispatch::CollectValues(rule, {}, results, mesh ? &*mesh : nullptr);
}

// ---- expect_dtype: a name, or names by key or tuple element
Verdict CompareDType(const Json& expected, bool mean, std::vector<Value> parts);

Verdict CompareDTypeOf(const std::string& expected, bool mean, std::vector<Value>& parts) {
  std::vector<void*> erased;
  for (Value& part : parts) erased.push_back(&part);
  const absl::StatusOr<Reduced> reduced = dispatch::Reduce(mean, internal::kType<Value>, erased);
  if (reduced.ok() && reduced->type == expected) return std::nullopt;
  const std::string came(reduced.ok() ? reduced->type : reduced.status().message());
  return Mismatch{"dtype " + expected, "dtype " + came};
}

Verdict CompareDTypesByKey(const Json& expected, bool mean, const std::vector<Value>& parts) {
  const Value::Dict first = *parts[0].get_if<Value::Dict>();
  for (const auto& entry : first) {
    const Json own = expected.is_object() ? expected.value(entry.first, Json()) : expected;
    std::vector<Value> values;
    for (const Value& part : parts) {
      const auto* dict = part.get_if<Value::Dict>();
      const auto found = dict->find(entry.first);
      if (found != dict->end()) values.push_back(found->second);
    }
    if (Verdict verdict = CompareDType(own, mean, std::move(values))) return verdict;
  }
  return std::nullopt;
}

Verdict CompareDTypesByElement(const Json& expected, bool mean, const std::vector<Value>& parts) {
  const size_t length = parts[0].get_if<Value::Tuple>()->items.size();
  for (size_t i = 0; i < length; ++i) {
    const Json own = expected.is_array() ? expected.at(i) : expected;
    std::vector<Value> elements;
    for (const Value& part : parts) elements.push_back(part.get_if<Value::Tuple>()->items[i]);
    if (Verdict verdict = CompareDType(own, mean, std::move(elements))) return verdict;
  }
  return std::nullopt;
}

Verdict CompareDType(const Json& expected, bool mean, std::vector<Value> parts) {
  if (parts.empty() || expected.is_null()) return std::nullopt;
  if (parts[0].get_if<Value::Dict>() != nullptr) return CompareDTypesByKey(expected, mean, parts);
  if (parts[0].get_if<Value::Tuple>() != nullptr) {
    return CompareDTypesByElement(expected, mean, parts);
  }
  return CompareDTypeOf(expected.get<std::string>(), mean, parts);
}

}  // namespace

Verdict RunCollectCase(const Json& golden) {
  const absl::StatusOr<std::vector<Value>> results = ResultsOf(golden);
  if (!results.ok()) return Mismatch{"a golden case", std::string(results.status().message())};
  const absl::StatusOr<Value> came = Run(golden, *results);
  if (!came.ok() || golden.contains("expect_error")) {
    return CompareError(golden, came.status(), came.ok() ? Text(*came) : "");
  }
  const absl::StatusOr<Value> expected = ValueOf(golden.at("expect"));
  if (!expected.ok()) return Mismatch{"a golden case", std::string(expected.status().message())};
  if (!Same(*expected, *came)) return Mismatch{Text(*expected), Text(*came)};
  const bool mean = golden.at("policy") != "sum";
  return CompareDType(golden.value("expect_dtype", Json()), mean, *results);
}

}  // namespace twinkle::conformance
