// What people are told of a cluster.
#include "driver/cluster_state.h"
#include "runtime/base/clock.h"

namespace twinkle::driver {

v1::ClusterStatus ClusterState::Status(base::Instant now) const {
  v1::ClusterStatus status;
  status.set_version(options_.version);
  status.set_age_s(absl::ToDoubleSeconds(now - began_));
  for (const auto& [id, node] : nodes_) {
    v1::ClusterStatus::Node& told = *status.add_nodes();
    *told.mutable_description() = node.description;
    told.set_used_slots(node.description.cpu_slots() - node.free.slots);
    for (const auto& [type, count] : node.description.devices()) {
      const auto free = node.free.devices.find(type);
      (*told.mutable_used_devices())[type] =
          count - (free == node.free.devices.end() ? 0 : static_cast<int>(free->second.size()));
    }
    told.set_joined_s(absl::ToDoubleSeconds(now - node.joined));
  }
  for (const auto& [number, job] : jobs_) {
    v1::ClusterStatus::Job& told = *status.add_jobs();
    told.set_id(number);
    told.set_name(job.submit.program().name());
    told.set_state(StateName(job.state));
    told.set_reason(job.reason);
    *told.mutable_program() = job.submit.program().place();
    told.set_age_s(absl::ToDoubleSeconds(now - job.submitted));
    for (const auto& [id, state] : job.processes) {
      if (!state.gone) *told.add_processes() = state.process;
    }
    *told.mutable_components() = components_.Of(number).components();
    for (const std::string& group : job.ended_groups) told.add_ended_groups(group);
  }
  return status;
}

}  // namespace twinkle::driver
