// Dispatch: which ranks a call runs on, and which rows of each argument each of them gets. Pure
// functions over the arguments' rows: an argument whose value is elsewhere is planned the same way.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <twinkle/device_mesh.h>
#include <twinkle/rules.h>

#include <span>
#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

// The caller's place in its group. The program is rank 0 of 1.
struct Caller {
  int rank = 0;
  int world_size = 1;
};

// One argument's part for one worker.
struct Part {
  bool whole = true;                 // also when the ranges would cover everything
  std::vector<codec::Range> ranges;  // when not whole: one for each leaf of the argument's rows
  bool operator==(const Part&) const = default;
};
// parts[i][a]: what the i-th executing worker gets of argument a.
using Plan = std::vector<std::vector<Part>>;

// A dispatch rule: all that the runtime knows of it. A rule without an entry (RuleOf) does not compile.
struct DispatchRule {
  const char* name = nullptr;  // as the reference names it; null: there is no such rule
  bool needs_mesh = false;     // it asks the mesh which rank is which
  // Plans arguments by this rule. REQUIRES: workers > 0. Errors as PlanDispatch.
  absl::StatusOr<Plan> (*plan)(int workers, const DeviceMesh* mesh, std::span<const codec::Rows> arguments) = nullptr;
};
// The rule's entry.
DispatchRule RuleOf(Dispatch rule);

// The rules of these names, "slice" and so on, as the reference names them. InvalidArgument: unsupported_dispatch,
// unsupported_execute.
absl::StatusOr<Dispatch> DispatchNamed(absl::string_view name);
absl::StatusOr<Execute> ExecuteNamed(absl::string_view name);

// The workers, ascending, that run a call. InvalidArgument: no_workers; a caller that is not one of
// its world.
absl::StatusOr<std::vector<int>> ExecutingWorkers(Execute execute, int workers, Caller caller);

// The plan for `workers` executing workers (renumbered from 0). `arguments` are the rows of each
// argument; the mesh may be null where no policy needs it, and is compared with the workers only
// when there is something to split. InvalidArgument: no_workers, mesh_required,
// mesh_worker_mismatch, batch_too_small (which names the argument by its number from 1, how many
// rows it has and how many are needed).
absl::StatusOr<Plan> PlanDispatch(Dispatch rule, int workers, const DeviceMesh* mesh,
                                  std::span<const codec::Rows> arguments);

// The plan that gives every argument whole to every worker.
Plan WholePlan(int workers, size_t arguments);

}  // namespace twinkle::dispatch
