#include "client/src/mesh_check.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>

#include "runtime/actor/failure.h"
#include "runtime/base/status.h"
#include "runtime/dispatch/collect_rules.h"
#include "runtime/dispatch/dispatch.h"
#include "runtime/mesh/workers.h"

namespace twinkle::internal {
namespace {

// Whether one of the method's rules asks the mesh which rank is which.
bool NeedsMesh(const ClassInfo& class_info, const MethodInfo& method) {
  if (class_info.execute == Execute::kFirst || method.execute == Execute::kFirst) return false;
  return (method.own_dispatch == nullptr && dispatch::RuleOf(method.dispatch).needs_mesh) ||
         (method.own_collect == nullptr && dispatch::RuleOf(method.collect).needs_mesh());
}

// The mesh in words: "8 ranks (dp 4, tp 2)".
std::string Described(const DeviceMesh& mesh) {
  std::string text = absl::StrCat(mesh.world_size(), mesh.world_size() == 1 ? " rank (" : " ranks (");
  for (size_t i = 0; i < mesh.shape().size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", mesh.dim_names()[i], " ", mesh.shape()[i]);
  }
  return text + ")";
}

absl::Status CheckSize(const DeviceMesh& mesh, const actor::GroupInfo& group, int devices_per_worker) {
  const int workers = static_cast<int>(group.workers.size());
  if (devices_per_worker == 0 || mesh.world_size() == workers * devices_per_worker) return absl::OkStatus();
  return base::Refuse("mesh_worker_mismatch",
                      absl::StrCat("the device mesh has ", Described(mesh), ", but group '", group.name, "' has ",
                                   workers * devices_per_worker, ": ", workers, workers == 1 ? " worker" : " workers",
                                   " of ", devices_per_worker, " each: the product of the mesh's sizes must be that"));
}

}  // namespace

absl::Status CheckMesh(const ClassInfo& class_info, const actor::GroupInfo& group, const MeshChoice& choice) {
  const DeviceMesh* const mesh = choice.own != nullptr ? choice.own : choice.session;
  const auto& methods = class_info.methods;
  const auto needs = std::find_if(methods.begin(), methods.end(),
                                  [&](const MethodInfo& method) { return NeedsMesh(class_info, method); });
  if (needs != methods.end() && mesh == nullptr) {
    return base::Refuse("mesh_required",
                        absl::StrCat(actor::ShortName(std::string(class_info.name)), ".", needs->name,
                                     " is dispatched or collected by the device mesh, and there is none: set "
                                     "RemoteOptions.device_mesh or InitializeOptions.device_mesh"));
  }
  const bool asked = choice.own != nullptr || needs != methods.end();
  if (mesh == nullptr || !asked || class_info.execute != Execute::kAll) return absl::OkStatus();
  TWINKLE_RETURN_IF_ERROR(CheckSize(*mesh, group, choice.devices_per_worker));
  if (needs == methods.end()) return absl::OkStatus();
  return mesh::DataRanksOfWorkers(*mesh, static_cast<int>(group.workers.size())).status();
}

}  // namespace twinkle::internal
