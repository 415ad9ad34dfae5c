#include "runtime/dispatch/collect_rules.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "runtime/base/list_text.h"
#include "runtime/base/status.h"
#include "runtime/mesh/workers.h"

namespace twinkle::dispatch {
namespace {

// Calls f(rule, entry) for each rule, until it returns true.
template <class F>
void FindRule(F&& f) {
  for (uint8_t number = 0;; ++number) {
    const auto rule = static_cast<Collect>(number);
    const CollectRule entry = RuleOf(rule);
    if (entry.enumerator == nullptr || f(rule, entry)) return;
  }
}

absl::Status Unsupported(absl::string_view name) {
  std::vector<std::string> names;
  FindRule([&](Collect, const CollectRule& entry) {
    if (entry.names[1] != nullptr) {
      names.push_back(absl::StrCat(entry.names[0], " (or ", entry.names[1], ")"));
    } else if (entry.names[0] != nullptr) {
      names.emplace_back(entry.names[0]);
    }
    return false;
  });
  return base::Refuse("unsupported_collect",
                      absl::StrCat("there is no collect policy '", name, "': there are ", base::ListText(names)));
}

std::vector<int> FirstWorkers(int count) {
  std::vector<int> workers(static_cast<size_t>(count));
  std::iota(workers.begin(), workers.end(), 0);
  return workers;
}

absl::Status MeshRequired(const CollectRule& rule) {
  return base::Refuse("mesh_required", absl::StrCat("Collect::", rule.enumerator,
                                                    " chooses results by their place in the device mesh, so the "
                                                    "component needs one: set RemoteOptions.device_mesh or "
                                                    "InitializeOptions.device_mesh"));
}

absl::StatusOr<std::vector<int>> FirstOfLastStage(const DeviceMesh& mesh, int workers) {
  TWINKLE_ASSIGN_OR_RETURN(std::vector<int> last, mesh::LastStageWorkers(mesh, workers));
  last.resize(1);
  return last;
}

}  // namespace

CollectRule RuleOf(Collect rule) {
  switch (rule) {
    case Collect::kNone:
      return {"kNone", {"none"}, Uses::kAll, Join::kList, &JoinList, &OneOrListOfValues};
    case Collect::kFlatten:
      return {"kFlatten", {"flatten"}, Uses::kAll, Join::kConcat, &JoinItems, &ItemsOfValues};
    case Collect::kMean:
      return {"kMean", {"mean", "avg"}, Uses::kAll, {}, &JoinMean, &MeanOfValues};
    case Collect::kSum:
      return {"kSum", {"sum"}, Uses::kAll, {}, &JoinSum, &SumOfValues};
    case Collect::kFirst:
      return {"kFirst", {"first"}, Uses::kFirst, Join::kSingle, &TakeFirst, &FirstOfValues};
    case Collect::kLastPp:
      return {"kLastPp", {"last_pp"}, Uses::kLastStage, Join::kList, &JoinList, &ListOfValues};
    case Collect::kLastPpFirst:
      return {"kLastPpFirst", {"last_pp_first"}, Uses::kFirstOfLastStage, Join::kSingle, &TakeFirst, &FirstOfValues};
    case Collect::kFlattenDp:
      return {"kFlattenDp", {}, Uses::kDataRanks, Join::kConcat, &JoinItems, &ItemsOfValues};
    case Collect::kMeanEach:
      return {"kMeanEach", {}, Uses::kAll, {}, &JoinMeanEach, &MeanOfEachValue};
    case Collect::kSumEach:
      return {"kSumEach", {}, Uses::kAll, {}, &JoinSumEach, &SumOfEachValue};
  }
  return {};
}

absl::StatusOr<Collect> CollectNamed(absl::string_view name) {
  std::optional<Collect> found;
  FindRule([&](Collect rule, const CollectRule& entry) {
    const bool named = std::any_of(entry.names.begin(), entry.names.end(),
                                   [&](const char* its) { return its != nullptr && name == its; });
    if (named) found = rule;
    return named;
  });
  if (!found) return Unsupported(name);
  return *found;
}

absl::StatusOr<std::vector<int>> UsedWorkers(Collect rule, int workers, const DeviceMesh* mesh, bool local) {
  const CollectRule entry = RuleOf(rule);
  const bool by_mesh = entry.needs_mesh() && workers > 0 && !local;
  if (by_mesh && mesh == nullptr) return MeshRequired(entry);
  switch (entry.uses) {
    case Uses::kAll:
      return FirstWorkers(workers);
    case Uses::kFirst:
      return FirstWorkers(std::min(workers, 1));
    case Uses::kLastStage:
      return by_mesh ? mesh::LastStageWorkers(*mesh, workers) : FirstWorkers(workers);
    case Uses::kFirstOfLastStage:
      return by_mesh ? FirstOfLastStage(*mesh, workers) : FirstWorkers(std::min(workers, 1));
    case Uses::kDataRanks:
      return by_mesh ? mesh::CollectWorkers(*mesh, workers) : FirstWorkers(workers);
  }
  return absl::InternalError("a choice of workers that there is not");
}

}  // namespace twinkle::dispatch
