// Names: components by name, processes of other jobs, and the processes that a command asks.
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "driver/bounds.h"
#include "driver/cluster_state.h"
#include "runtime/rpc/secret.h"

namespace twinkle::driver {

absl::StatusOr<v1::AddComponentReply> ClusterState::AddComponent(JobNumber job, v1::Component component,
                                                                 Effects* effects) {
  if (jobs_.count(job) == 0) return absl::CancelledError("the job has ended");
  if (absl::Status bad = CheckComponent(component); !bad.ok()) return bad;
  absl::StatusOr<v1::AddComponentReply> reply = components_.Add(job, std::move(component));
  if (reply.ok() && !reply->existed()) {
    const v1::Component& added = reply->component();
    effects->push_back(Record{Record::Kind::kComponentAdded, added.id(), added.class_name()});
  }
  return reply;
}

absl::Status ClusterState::CheckOwn(JobNumber caller, uint64_t id) const {
  const v1::Component* const component = components_.Get(id);
  if (component == nullptr) return absl::NotFoundError("the component is not there: it was released");
  if (component->job() == caller) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("component ", id, " is of job ", component->job(), ", the caller of job ", caller));
}

absl::Status ClusterState::RemoveComponent(JobNumber caller, uint64_t id, Effects* effects) {
  if (absl::Status refused = CheckOwn(caller, id); !refused.ok()) return refused;
  ForgetComponent(id, effects);
  return absl::OkStatus();
}

void ClusterState::ForgetComponent(uint64_t id, Effects* effects) {
  if (components_.Remove(id)) effects->push_back(Record{Record::Kind::kComponentRemoved, id, ""});
  rendezvous_.erase(id);
}

absl::StatusOr<v1::FoundComponent> ClusterState::FindComponent(JobNumber caller, const std::string& name) {
  const v1::Component* const component = components_.Named(name);
  if (component == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no component named '", name, "'"));
  }
  v1::FoundComponent found;
  *found.mutable_component() = *component;
  const auto job = jobs_.find(component->job());
  if (component->job() == caller || job == jobs_.end()) return found;
  job->second.guests.insert(caller);
  for (const auto& [process, state] : job->second.processes) *found.add_processes() = state.process;
  found.set_ticket(rpc::TicketFor(job->second.secret, caller));
  return found;
}

absl::StatusOr<v1::MetProcess> ClusterState::Meet(JobNumber caller, uint64_t process) {
  const JobNumber owner = process >> kProcessBits;
  const auto job = jobs_.find(owner);
  if (job == jobs_.end()) return absl::NotFoundError(absl::StrCat("job ", owner, " has ended"));
  if (caller != owner && !Acquainted(caller, owner)) {
    return absl::PermissionDeniedError(absl::StrCat("jobs ", caller, " and ", owner, " have nothing in common"));
  }
  v1::MetProcess met;
  if (process == owner << kProcessBits) {
    *met.mutable_process() = ProgramOf(owner, job->second);
  } else {
    const auto state = job->second.processes.find(process);
    if (state == job->second.processes.end()) return absl::NotFoundError("the job has no such process");
    if (state->second.gone) return absl::UnavailableError(absl::StrCat("it ", state->second.cause));
    *met.mutable_process() = state->second.process;
  }
  if (caller == owner) return met;
  job->second.guests.insert(caller);
  met.set_ticket(rpc::TicketFor(job->second.secret, caller));
  return met;
}

absl::StatusOr<v1::JobVisit> ClusterState::Visit(JobNumber number) const {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return absl::NotFoundError(absl::StrCat("there is no job ", number, " (any more)"));
  v1::JobVisit visit;
  *visit.add_processes() = ProgramOf(number, job->second);
  for (const auto& [id, state] : job->second.processes) {
    if (!state.gone) *visit.add_processes() = state.process;
  }
  visit.set_ticket(rpc::CommandTicket(job->second.secret));
  return visit;
}

// One job has found something of the other, or a third job something of both.
bool ClusterState::Acquainted(JobNumber a, JobNumber b) const {
  const auto guests = [this](JobNumber number) {
    const auto job = jobs_.find(number);
    return job == jobs_.end() ? std::set<JobNumber>() : job->second.guests;
  };
  const std::set<JobNumber> of_a = guests(a);
  const std::set<JobNumber> of_b = guests(b);
  return of_a.count(b) != 0 || of_b.count(a) != 0 ||
         std::any_of(of_a.begin(), of_a.end(), [&](JobNumber third) { return of_b.count(third) != 0; });
}

absl::StatusOr<std::string> ClusterState::Rendezvous(JobNumber caller, uint64_t id) {
  if (absl::Status refused = CheckOwn(caller, id); !refused.ok()) return refused;
  std::string& address = rendezvous_[id];
  if (address.empty()) address = NewAddress(jobs_.at(caller), components_.Get(id)->group());
  return address;
}

}  // namespace twinkle::driver
