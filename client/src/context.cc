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
  context.rank_ = call->rank;
  context.world_size_ = call->world_size;
  context.group_ = call->group;
  context.mesh_ = call->mesh;
  context.devices_ = call->devices;
  context.component_ = call->component;
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
