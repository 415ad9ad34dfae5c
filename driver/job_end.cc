// Losses, and the end of a job.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "driver/cluster_state.h"
#include "driver/messages.h"
#include "runtime/base/clock.h"

namespace twinkle::driver {

// ---- losses
void ClusterState::LoseGroup(JobNumber number, Job& job, const std::string& group, uint64_t first,
                             const std::string& cause, Effects* effects) {
  const auto found = job.processes.find(first);
  if (found != job.processes.end()) {
    if (found->second.gone) return;
    found->second.gone = true;
    job.starting.erase(first);
    found->second.cause = cause;
  }
  if (job.state == JobState::kEnding) return;
  if (job.state == JobState::kStarting) {
    const std::string who = absl::StrCat("rank ", found->second.process.rank(), " of group '", group, "' (",
                                         found->second.process.place().host(), ")");
    job.code = absl::StatusCode::kAborted;
    job.reason = absl::StrCat(who, " did not start: ", cause);
    return;  // Tick ends the job: the caller has no clock
  }
  if (!job.ended_groups.insert(group).second) return;  // all have heard
  effects->push_back(Record{Record::Kind::kGroupEnded, number, absl::StrCat(group, ": ", cause)});
  v1::PeersLost lost;
  lost.set_job(number);
  std::map<NodeId, v1::EndProcesses> ends;
  const auto add = [&](uint64_t process, const std::string& why) {
    v1::PeersLost::Loss& loss = *lost.add_losses();
    loss.set_process(process);
    loss.set_cause(why);
  };
  std::string others = absl::StrCat("group '", group, "' was aborted: ", cause);
  if (found != job.processes.end()) {
    add(first, absl::StrCat("it ", cause));
    const v1::Process& process = found->second.process;
    others = absl::StrCat("group '", group, "' was aborted: rank ", process.rank(), " (", process.place().host(),
                          ", pid ", process.place().pid(), ") ", cause);
  }
  for (auto& [id, state] : job.processes) {
    if (state.process.group() != group || id == first) continue;
    add(id, others);
    if (state.gone) continue;
    ends[state.node].set_job(number);
    ends[state.node].add_processes(id);
  }
  Tell(number, job, lost, effects);
  for (auto& [node, end] : ends) {
    if (nodes_.count(node) == 0) continue;
    ToNode effect{node, {}};
    *effect.message.mutable_end() = std::move(end);
    effects->push_back(std::move(effect));
  }
}

// The program and all nodes of the job, and those of its guests.
void ClusterState::Tell(JobNumber number, const Job& job, const v1::PeersLost& lost, Effects* effects) {
  std::set<NodeId> nodes = job.nodes;
  std::set<JobNumber> programs = job.guests;
  programs.insert(number);
  for (JobNumber program : programs) {
    const auto found = jobs_.find(program);
    if (found == jobs_.end()) continue;
    if (program != number) nodes.insert(found->second.nodes.begin(), found->second.nodes.end());
    if (found->second.program_gone) continue;
    ToProgram effect{program, {}};
    *effect.message.mutable_lost() = lost;
    effects->push_back(std::move(effect));
  }
  for (NodeId node : nodes) {
    if (nodes_.count(node) == 0) continue;
    ToNode effect{node, {}};
    *effect.message.mutable_lost() = lost;
    effects->push_back(std::move(effect));
  }
}

void ClusterState::EndGroup(JobNumber number, const std::string& group, const std::string& cause, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end() || job->second.state != JobState::kRunning) return;
  LoseGroup(number, job->second, group, 0, cause, effects);
}

// ---- the end of a job
void ClusterState::Finish(JobNumber number, absl::Duration grace, base::Instant now, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job != jobs_.end()) BeginEnd(number, job->second, absl::StatusCode::kOk, "", grace, now, effects);
}

void ClusterState::ProgramGone(JobNumber number, base::Instant now, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  job->second.program_gone = true;
  BeginEnd(number, job->second, absl::StatusCode::kCancelled, "its program is gone", absl::ZeroDuration(), now,
           effects);
}

absl::Status ClusterState::Stop(JobNumber number, const std::string& why, base::Instant now, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return absl::NotFoundError(absl::StrCat("there is no job ", number));
  BeginEnd(number, job->second, absl::StatusCode::kCancelled, why, absl::ZeroDuration(), now, effects);
  return absl::OkStatus();
}

// A second wish may shorten the grace, not change the words.
void ClusterState::BeginEnd(JobNumber number, Job& job, absl::StatusCode code, const std::string& why,
                            absl::Duration grace, base::Instant now, Effects* effects) {
  const base::Instant deadline = now + grace + options_.clearing_limit;
  if (job.state == JobState::kEnding && deadline >= job.deadline) return;
  if (job.state != JobState::kEnding) {
    job.code = code;
    job.reason = why;
    Enter(number, job, JobState::kEnding);
  }
  job.deadline = deadline;
  for (NodeId node : job.nodes) {
    ToNode effect{node, {}};
    effect.message.mutable_stop()->set_job(number);
    effect.message.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
    effects->push_back(std::move(effect));
  }
  EndIfCleared(number, effects);
}

void ClusterState::GiveBack(const ProcessState& state, const std::string& device_type) {
  const auto found = nodes_.find(state.node);
  if (found == nodes_.end()) return;
  FreeNode& node = found->second.free;
  node.slots += state.slots;
  std::vector<int>& free = node.devices[device_type];
  for (int device : state.process.local_devices()) {  // one that several groups shared is given back once
    if (std::find(free.begin(), free.end(), device) == free.end()) free.push_back(device);
  }
  std::sort(free.begin(), free.end());
  if (free.empty()) node.devices.erase(device_type);
}

void ClusterState::EndIfCleared(JobNumber number, Effects* effects) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.state != JobState::kEnding || !found->second.nodes.empty()) return;
  const Job job = std::move(found->second);
  jobs_.erase(found);
  std::map<std::string, std::string> types;
  for (const v1::Group& group : job.submit.groups()) types[group.name()] = group.device_type();
  for (const auto& [id, state] : job.processes) GiveBack(state, types[state.process.group()]);
  const v1::Components components = components_.Of(number);
  for (const v1::Component& component : components.components()) RemoveComponent(component.id(), effects);
  effects->push_back(Record{Record::Kind::kJobEnded, number, job.reason});
  if (!job.guests.empty()) {
    v1::PeersLost lost;
    lost.set_job(number);
    for (const auto& [id, state] : job.processes) {
      v1::PeersLost::Loss& loss = *lost.add_losses();
      loss.set_process(id);
      loss.set_cause(absl::StrCat("its job has ended", job.reason.empty() ? "" : ": ", job.reason));
    }
    Job others;
    others.guests = job.guests;
    Tell(number, others, lost, effects);
  }
  if (!job.program_gone) effects->push_back(ToProgram{number, Ended(job.code, job.reason)});
  TryWaiting(effects);
}

}  // namespace twinkle::driver
