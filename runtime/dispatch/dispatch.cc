#include "runtime/dispatch/dispatch.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <numeric>
#include <string>

#include "runtime/base/list_text.h"
#include "runtime/base/status.h"
#include "runtime/mesh/share.h"
#include "runtime/mesh/workers.h"

namespace twinkle::dispatch {
namespace {

using codec::RowNode;
using codec::Rows;

absl::Status CheckWorkers(int workers) {
  if (workers >= 1) return absl::OkStatus();
  return base::Refuse("no_workers", "the component has no workers that could run the call");
}

absl::StatusOr<mesh::Range> PeerRange(int workers, Caller caller) {
  if (caller.rank < 0 || caller.rank >= caller.world_size) {
    return absl::InvalidArgumentError(absl::StrCat("the caller has rank ", caller.rank, " in a world of ",
                                                   caller.world_size, ", so no workers are its share"));
  }
  return mesh::PeerShare(workers, caller.rank, caller.world_size);
}

// The share of taker `index` out of `takers`, of every list and tensor.
Part PartOf(const Rows& rows, int takers, int index) {
  Part part;
  for (const RowNode& node : rows) {
    if (node.rows < 0) continue;
    const mesh::Range share = mesh::Share(node.rows, takers, index);
    part.ranges.push_back(share);
    part.whole = part.whole && share.size() == node.rows;
  }
  if (part.whole) part.ranges.clear();
  return part;
}

// The path of a node in its argument: the keys down to it, joined by dots, and # with a number from 1
// for members of structs, whose names are not known here. Empty for the argument itself.
std::string PathTo(const Rows& rows, size_t target) {
  struct Tree {
    uint32_t children;
    uint32_t visited;
    std::string name;
  };
  std::vector<Tree> open;
  for (size_t i = 0; i <= target; ++i) {
    while (!open.empty() && open.back().visited == open.back().children) open.pop_back();
    std::string name = rows[i].key;
    if (!open.empty()) {
      ++open.back().visited;
      if (name.empty()) name = absl::StrCat("#", open.back().visited);
    }
    open.push_back({rows[i].children, 0, std::move(name)});
  }
  return absl::StrJoin(open.begin() + 1, open.end(), ".",
                       [](std::string* out, const Tree& tree) { absl::StrAppend(out, tree.name); });
}

// Checks that no data rank goes without rows of a value of which another has some.
absl::Status CheckBatch(const Rows& rows, size_t argument, int data_ranks) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t count = rows[i].rows;
    if (count <= 0 || count >= data_ranks) continue;
    const std::string path = PathTo(rows, i);
    return base::Refuse("batch_too_small",
                        absl::StrCat("argument ", argument + 1, path.empty() ? "" : absl::StrCat(", at '", path, "',"),
                                     " has ", count, count == 1 ? " row" : " rows", ", but at least ", data_ranks,
                                     " are needed: one for each data rank of the mesh (an empty one is fine too)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Plan> PlanSlice(int workers, const DeviceMesh*, std::span<const Rows> arguments) {
  Plan plan = WholePlan(workers, arguments.size());
  for (size_t a = 0; a < arguments.size(); ++a) {
    const Rows& rows = arguments[a];
    if (rows.empty() || rows[0].kind != RowNode::Kind::kList) continue;
    for (int i = 0; i < workers; ++i) plan[i][a] = PartOf(rows, workers, i);
  }
  return plan;
}

absl::StatusOr<Plan> PlanAll(int workers, const DeviceMesh*, std::span<const Rows> arguments) {
  return WholePlan(workers, arguments.size());
}

absl::StatusOr<Plan> PlanSliceDp(int workers, const DeviceMesh* mesh, std::span<const Rows> arguments) {
  if (mesh == nullptr) {
    return base::Refuse("mesh_required",
                        "Dispatch::kSliceDp splits by data rank, so the component needs a device "
                        "mesh: set RemoteOptions.device_mesh or InitializeOptions.device_mesh");
  }
  Plan plan = WholePlan(workers, arguments.size());
  std::vector<int> data_ranks;  // of the workers, once anything is to be split
  for (size_t a = 0; a < arguments.size(); ++a) {
    if (codec::LeafCount(arguments[a]) == 0) continue;
    if (data_ranks.empty()) {
      TWINKLE_ASSIGN_OR_RETURN(data_ranks, mesh::DataRanksOfWorkers(*mesh, workers));
    }
    const int takers = mesh->data_world_size();
    TWINKLE_RETURN_IF_ERROR(CheckBatch(arguments[a], a, takers));
    for (int i = 0; i < workers; ++i) plan[i][a] = PartOf(arguments[a], takers, data_ranks[i]);
  }
  return plan;
}

}  // namespace

DispatchRule RuleOf(Dispatch rule) {
  switch (rule) {
    case Dispatch::kSlice:
      return {"slice", /*needs_mesh=*/false, &PlanSlice};
    case Dispatch::kAll:
      return {"all", /*needs_mesh=*/false, &PlanAll};
    case Dispatch::kSliceDp:
      return {"slice_dp", /*needs_mesh=*/true, &PlanSliceDp};
  }
  return {};
}

absl::StatusOr<Dispatch> DispatchNamed(absl::string_view name) {
  std::vector<std::string> names;
  for (uint8_t number = 0;; ++number) {
    const auto rule = static_cast<Dispatch>(number);
    const DispatchRule entry = RuleOf(rule);
    if (entry.name == nullptr) break;
    if (name == entry.name) return rule;
    names.emplace_back(entry.name);
  }
  return base::Refuse("unsupported_dispatch",
                      absl::StrCat("there is no dispatch policy '", name, "': there are ", base::ListText(names)));
}

absl::StatusOr<Execute> ExecuteNamed(absl::string_view name) {
  if (name == "all") return Execute::kAll;
  if (name == "first") return Execute::kFirst;
  if (name == "peer") return Execute::kPeer;
  return base::Refuse("unsupported_execute",
                      absl::StrCat("there is no execute policy '", name, "': there are all, first and peer"));
}

absl::StatusOr<std::vector<int>> ExecutingWorkers(Execute execute, int workers, Caller caller) {
  TWINKLE_RETURN_IF_ERROR(CheckWorkers(workers));
  mesh::Range range{0, workers};
  if (execute == Execute::kFirst) range = {0, 1};
  if (execute == Execute::kPeer) {
    TWINKLE_ASSIGN_OR_RETURN(range, PeerRange(workers, caller));
  }
  std::vector<int> executing(static_cast<size_t>(range.size()));
  std::iota(executing.begin(), executing.end(), static_cast<int>(range.begin));
  return executing;
}

absl::StatusOr<Plan> PlanDispatch(Dispatch rule, int workers, const DeviceMesh* mesh, std::span<const Rows> arguments) {
  TWINKLE_RETURN_IF_ERROR(CheckWorkers(workers));
  const DispatchRule entry = RuleOf(rule);
  if (entry.plan == nullptr) return absl::InternalError("a dispatch rule that there is not");
  return entry.plan(workers, mesh, arguments);
}

Plan WholePlan(int workers, size_t arguments) {
  return Plan(static_cast<size_t>(workers), std::vector<Part>(arguments));
}

}  // namespace twinkle::dispatch
