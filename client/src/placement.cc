#include "runtime/mesh/placement.h"

#include <twinkle/session.h>

#include "client/src/session_state.h"
#include "runtime/actor/failure.h"

namespace twinkle {

std::string DevicePlacement() {
  const auto session = internal::SessionState::Current();
  if (session == nullptr) return "no session: call twinkle::Initialize first\n";
  mesh::Placement placement;
  placement.groups = session->job().Placed();
  if (session->options().device_mesh) placement.components.push_back({"session", "", *session->options().device_mesh});
  for (const actor::ComponentInfo& component : session->job().directory().Components()) {
    if (!component.mesh) continue;
    const std::string name = component.name.empty() ? actor::ShortName(component.class_name) : component.name;
    placement.components.push_back({name, component.group, *component.mesh});
  }
  return mesh::DrawPlacement(placement);
}

}  // namespace twinkle
