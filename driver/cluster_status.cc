// The cluster's status, as people and commands are told it.
#include "driver/cluster_state.h"

namespace twinkle::driver {
namespace {

void AddAborted(const std::map<std::string, std::string>& groups, v1::ClusterStatus::Job* job) {
  for (const auto& [name, reason] : groups) {
    v1::ClusterStatus::AbortedGroup& aborted = *job->add_aborted_groups();
    aborted.set_name(name);
    aborted.set_reason(reason);
  }
}

}  // namespace

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
    AddAborted(job.aborted_groups, &told);
  }
  for (const EndedJob& job : ended_jobs_) {
    v1::ClusterStatus::Job& told = *status.add_ended_jobs();
    told.set_id(job.number);
    told.set_name(job.name);
    told.set_state("ended");
    told.set_code(static_cast<int>(job.code));
    told.set_reason(job.reason);
    *told.mutable_program() = job.program;
    told.set_age_s(absl::ToDoubleSeconds(job.ended - job.submitted));
    told.set_ended_s(absl::ToDoubleSeconds(now - job.ended));
    AddAborted(job.aborted_groups, &told);
  }
  return status;
}

}  // namespace twinkle::driver
