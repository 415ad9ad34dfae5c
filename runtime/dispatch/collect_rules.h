// The collect rules: all that the runtime knows of each, in one table (RuleOf). The type that a rule's results have
// once they are joined is its JoinedBy (client/include/twinkle/internal/collected.h). Without its
// entry here a rule does not compile, without its JoinedBy no method does that uses it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <twinkle/device_mesh.h>
#include <twinkle/rules.h>
#include <twinkle/value.h>

#include <array>
#include <optional>
#include <vector>

#include "runtime/dispatch/joins.h"
#include "runtime/dispatch/value_joins.h"

namespace twinkle::dispatch {

// The workers whose results a rule looks at, in the order in which it joins them. A value that NeedsMesh or
// UsedWorkers does not know does not compile.
enum class Uses : uint8_t {
  kAll,
  kFirst,
  kLastStage,         // the last pipeline stage's
  kFirstOfLastStage,  // the first of these
  kDataRanks,         // one of each data rank
};

// Whether these workers are known by their places in the device mesh.
constexpr bool NeedsMesh(Uses uses) {
  switch (uses) {
    case Uses::kAll:
    case Uses::kFirst:
      return false;
    case Uses::kLastStage:
    case Uses::kFirstOfLastStage:
    case Uses::kDataRanks:
      return true;
  }
  return false;
}

// The way in which a collected value comes from its parts.
enum class Join : uint8_t {
  kSingle,  // the value is the only part
  kConcat,  // the parts' items, as Collect::kFlatten
  kList,    // the list of the parts
};

// A collect rule: all that the runtime knows of it.
struct CollectRule {
  const char* enumerator = nullptr;       // "kMean"; null: there is no such rule
  std::array<const char*, 2> names = {};  // as the reference names it, where it does
  Uses uses = Uses::kAll;
  std::optional<Join> join = {};  // how rows of the value are found without it; absent: they cannot be
  absl::Status (*typed)(const JoinRequest& request) = nullptr;
  absl::StatusOr<Value> (*dynamic)(const ValueRequest& request) = nullptr;

  bool needs_mesh() const { return NeedsMesh(uses); }
};

// The rule's entry.
CollectRule RuleOf(Collect rule);

// The rule of that name: "none", "mean", "avg" and so on. InvalidArgument: unsupported_collect.
absl::StatusOr<Collect> CollectNamed(absl::string_view name);

// The workers whose results the rule looks at, in the order in which it joins them; none when there are no workers.
// `local`: one result stands for the whole mesh, and no mesh is looked at. InvalidArgument: mesh_required,
// mesh_worker_mismatch.
absl::StatusOr<std::vector<int>> UsedWorkers(Collect rule, int workers, const DeviceMesh* mesh, bool local);

}  // namespace twinkle::dispatch
