#include "runtime/mesh/placement.h"

#include <absl/strings/str_cat.h>
#include <twinkle/session.h>

#include "client/src/session_state.h"
#include "runtime/actor/groups.h"

namespace twinkle {
namespace {

mesh::PlacedGroup Placed(const actor::GroupInfo& group, const std::string& place) {
  mesh::PlacedGroup placed{group.name, group.device_type, {}};
  for (size_t rank = 0; rank < group.workers.size(); ++rank) {
    mesh::PlacedRank worker{static_cast<int>(rank), "this process", place, {}};
    for (int device : group.is_cpu() ? std::vector<int>() : group.devices[rank]) {
      worker.devices.push_back(absl::StrCat(group.device_type, ":", device));
    }
    placed.ranks.push_back(std::move(worker));
  }
  return placed;
}

}  // namespace

std::string DevicePlacement() {
  const auto session = internal::SessionState::Current();
  if (session == nullptr) return "no session: call twinkle::Initialize first\n";
  const auto groups = actor::LayOutGroups(session->options().groups, rpc::kProgram + 1);
  mesh::Placement placement;
  for (const actor::GroupInfo& group : *groups) {
    placement.groups.push_back(Placed(group, session->job().program()->options().place));
  }
  if (session->options().device_mesh) placement.components.push_back({"session", "", *session->options().device_mesh});
  for (const actor::ComponentInfo& component : session->job().directory().Components()) {
    if (!component.mesh) continue;
    const std::string name = component.name.empty() ? actor::ShortName(component.class_name) : component.name;
    placement.components.push_back({name, component.group, *component.mesh});
  }
  return mesh::DrawPlacement(placement);
}

}  // namespace twinkle
