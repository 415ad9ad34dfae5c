// The check of a component's device mesh in New.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/class_info.h>

#include "runtime/actor/directory.h"

namespace twinkle::internal {

// The meshes with which a component is about to be made.
struct MeshChoice {
  const DeviceMesh* own = nullptr;      // RemoteOptions.device_mesh
  const DeviceMesh* session = nullptr;  // InitializeOptions.device_mesh
  int devices_per_worker = 1;           // of the group; of a CPU group: slots; 0: not known
};

// Checks the meshes. InvalidArgument: mesh_required (a method is dispatched or collected by the mesh and there is
// none), mesh_worker_mismatch (the mesh given for the component, or the session's where a method needs it, is not one
// of all devices of the group). A class on a part of its group's ranks is not checked.
absl::Status CheckMesh(const ClassInfo& class_info, const actor::GroupInfo& group, const MeshChoice& choice);

}  // namespace twinkle::internal
