#include <twinkle/context.h>

#include "client/src/session_state.h"

namespace twinkle {

RankContext Context() {
  RankContext context;
  const auto process = internal::CurrentProcess();
  if (process != nullptr) {
    context.seed_ = process->options().seed;
    context.mesh_ = process->options().session_mesh;
  }
  const actor::CallContext* call = actor::CurrentContext();
  if (call == nullptr) return context;
  const actor::ObjectContext& object = *call->object;
  context.rank_ = object.rank;
  context.world_size_ = object.world_size;
  context.group_ = object.group;
  context.mesh_ = object.mesh;
  context.devices_ = object.devices;
  context.component_ = object.component;
  context.cancelled_ = call->cancelled;
  return context;
}

absl::StatusOr<std::string> RankContext::Rendezvous() const {
  const auto process = internal::CurrentProcess();
  if (process == nullptr || component_ == 0) {
    return absl::FailedPreconditionError("Rendezvous() is for the methods of a component on a group");
  }
  return process->directory().Rendezvous(component_);
}

}  // namespace twinkle
