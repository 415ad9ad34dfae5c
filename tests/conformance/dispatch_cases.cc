#include <absl/strings/str_cat.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/codec/codec.h"
#include "runtime/dispatch/dispatch.h"
#include "tests/conformance/cases.h"

namespace twinkle::conformance {
namespace {

// A call's arguments; those with keywords come last, in the order of their keys.
struct Arguments {
  std::vector<Value> values;
  std::vector<std::string> keywords;
};

struct Dispatched {
  std::vector<int> workers;
  std::vector<std::vector<Value>> arguments;  // of each of them
};

absl::StatusOr<Arguments> ArgumentsOf(const Json& call) {
  Arguments arguments;
  for (const Json& argument : call.value("args", Json::array())) {
    TWINKLE_ASSIGN_OR_RETURN(arguments.values.emplace_back(), ValueOf(argument));
  }
  const Json keywords = call.value("kwargs", Json::object());
  for (const auto& argument : keywords.items()) {
    arguments.keywords.push_back(argument.key());
    TWINKLE_ASSIGN_OR_RETURN(arguments.values.emplace_back(), ValueOf(argument.value()));
  }
  return arguments;
}

std::string TextOf(const Arguments& arguments) {
  const size_t positional = arguments.values.size() - arguments.keywords.size();
  Json args = Json::array();
  Json kwargs = Json::object();
  for (size_t i = 0; i < arguments.values.size(); ++i) {
    const Json value = JsonOf(arguments.values[i]);
    if (i < positional) {
      args.push_back(value);
    } else {
      kwargs[arguments.keywords[i - positional]] = value;
    }
  }
  return absl::StrCat(Text(args), " ", Text(kwargs));
}

absl::StatusOr<Value> Sliced(const Value& whole, const dispatch::Part& part) {
  if (part.whole) return whole;
  Value slice;
  TWINKLE_RETURN_IF_ERROR(codec::Slice(internal::kType<Value>, &slice, &whole, part.ranges));
  return slice;
}

absl::StatusOr<std::vector<std::vector<Value>>> Carry(const dispatch::Plan& plan, const std::vector<Value>& arguments) {
  std::vector<std::vector<Value>> all;
  for (const std::vector<dispatch::Part>& parts : plan) {
    std::vector<Value>& own = all.emplace_back();
    for (size_t a = 0; a < arguments.size(); ++a) {
      TWINKLE_ASSIGN_OR_RETURN(own.emplace_back(), Sliced(arguments[a], parts[a]));
    }
  }
  return all;
}

absl::StatusOr<dispatch::Plan> PlanOf(Execute execute, Dispatch policy, int workers, const DeviceMesh* mesh,
                                      const std::vector<Value>& arguments) {
  if (execute == Execute::kFirst) return dispatch::WholePlan(workers, arguments.size());
  std::vector<codec::Rows> rows;
  for (const Value& argument : arguments) {
    rows.push_back(codec::RowsOf(internal::kType<Value>, &argument));
  }
  return dispatch::PlanDispatch(policy, workers, mesh, rows);
}

dispatch::Caller CallerOf(const Json& golden) {
  const auto found = golden.find("caller");
  if (found == golden.end() || found->is_null()) return {};
  return {.rank = found->at("rank").get<int>(), .world_size = found->at("world_size").get<int>()};
}

// What the library does with the case's call, the first error first.
absl::StatusOr<Dispatched> Run(const Json& golden, const std::vector<Value>& arguments) {
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<DeviceMesh> mesh, MeshOfCase(golden));
  const std::string execute_name = golden.value("execute", "all");
  TWINKLE_ASSIGN_OR_RETURN(const Execute execute, dispatch::ExecuteNamed(execute_name));
  const std::string policy_name = golden.at("policy").get<std::string>();
  TWINKLE_ASSIGN_OR_RETURN(const Dispatch policy, dispatch::DispatchNamed(policy_name));
  Dispatched dispatched;
  TWINKLE_ASSIGN_OR_RETURN(dispatched.workers,
                           dispatch::ExecutingWorkers(execute, golden.at("workers").get<int>(), CallerOf(golden)));
  TWINKLE_ASSIGN_OR_RETURN(
      const dispatch::Plan plan,
      PlanOf(execute, policy, static_cast<int>(dispatched.workers.size()), mesh ? &*mesh : nullptr, arguments));
  TWINKLE_ASSIGN_OR_RETURN(dispatched.arguments, Carry(plan, arguments));
  return dispatched;
}

Verdict CompareWorkers(const Json& golden, const Dispatched& came) {
  const auto found = golden.find("expect_workers");
  if (found != golden.end() && *found != Json(came.workers)) {
    return Mismatch{"workers " + Text(*found), "workers " + Text(Json(came.workers))};
  }
  const size_t expected = golden.at("expect").size();
  if (expected == came.arguments.size()) return std::nullopt;
  return Mismatch{absl::StrCat(expected, " workers"), absl::StrCat(came.arguments.size())};
}

// What worker `index` was to get, and what it got.
Verdict CompareArguments(const Json& expect, size_t index, const Arguments& came) {
  const absl::StatusOr<Arguments> expected = ArgumentsOf(expect);
  if (!expected.ok()) return Mismatch{"a golden case", std::string(expected.status().message())};
  bool same = expected->keywords == came.keywords && expected->values.size() == came.values.size();
  for (size_t a = 0; same && a < came.values.size(); ++a) {
    same = Same(expected->values[a], came.values[a]);
  }
  if (same) return std::nullopt;
  const std::string who = absl::StrCat("worker ", index, " with ");
  return Mismatch{who + TextOf(*expected), who + TextOf(came)};
}

}  // namespace

Verdict RunDispatchCase(const Json& golden) {
  const absl::StatusOr<Arguments> arguments = ArgumentsOf(golden);
  if (!arguments.ok()) return Mismatch{"a golden case", std::string(arguments.status().message())};
  const absl::StatusOr<Dispatched> came = Run(golden, arguments->values);
  if (!came.ok() || golden.contains("expect_error")) {
    const std::string result = came.ok() ? absl::StrCat(came->workers.size(), " calls") : "";
    return CompareError(golden, came.status(), result);
  }
  if (Verdict verdict = CompareWorkers(golden, *came)) return verdict;
  for (size_t i = 0; i < came->arguments.size(); ++i) {
    const Arguments own{came->arguments[i], arguments->keywords};
    if (Verdict verdict = CompareArguments(golden.at("expect")[i], i, own)) return verdict;
  }
  return std::nullopt;
}

}  // namespace twinkle::conformance
