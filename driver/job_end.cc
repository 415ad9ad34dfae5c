// Losses of processes and groups, and the end of a job.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <utility>

#include "driver/bounds.h"
#include "driver/cluster_state.h"
#include "driver/messages.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/names.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::driver {
namespace {

absl::Status UnknownJob(JobNumber number) {
  return absl::NotFoundError(absl::StrCat("there is no job ", number, " (any more)"));
}

absl::Status JobHasEnded(JobNumber number, const std::string& why) {
  return absl::NotFoundError(absl::StrCat("job ", number, " has ended", why.empty() ? "" : ": ", why));
}

}  // namespace

// ---- losses
void ClusterState::ProcessExited(NodeId node, const v1::ProcessExited& message, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(message.job());
  if (job == jobs_.end()) return;
  const auto process = job->second.processes.find(message.process());
  if (process == job->second.processes.end() || process->second.node != node || process->second.gone) return;
  LoseProcess(message.job(), message.process(), CauseOf(message), effects);
}

// In an aborted group, what the process had leased is free before its job ends.
void ClusterState::ProcessCleared(NodeId node, JobNumber number, uint64_t id, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  const auto process = job->second.processes.find(id);
  if (process == job->second.processes.end() || process->second.node != node || !process->second.gone) return;
  if (job->second.aborted_groups.count(process->second.process.group()) == 0) return;
  GiveBack(job->second, process->second);
  TryWaiting(effects);
}

// This may end the job.
void ClusterState::LoseProcess(JobNumber number, uint64_t process, const std::string& cause, Effects* effects) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  ProcessState& state = job.processes.at(process);
  if (std::exchange(state.gone, true)) return;
  state.cause = cause;
  job.starting.erase(process);
  const std::string& group = state.process.group();
  if (job.state == JobState::kRunning)
    return LoseGroup(number, job, group, {.first = process, .cause = cause}, effects);
  if (job.state == JobState::kEnding && job.aborted_groups.count(group) == 0) {
    return TellOfEnd(number, job, process, cause, effects);
  }
  if (job.state != JobState::kStarting) return;
  BeginEnd(number, job, absl::StatusCode::kAborted,
           absl::StrCat("rank ", state.process.rank(), " of group '", group, "' (", state.process.place().host(),
                        ") did not start: ", cause),
           absl::ZeroDuration(), effects);
}

void ClusterState::EndGroup(JobNumber number, const v1::EndGroup& end, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end() || job->second.state != JobState::kRunning) return;
  LoseGroup(number, job->second, end.group(), {.asked_for = !end.cut(), .cause = base::CutText(end.cause())}, effects);
}

// A cause that all lost processes share is said once.
void ClusterState::LoseGroup(JobNumber number, Job& job, const std::string& group, const GroupEnd& end,
                             Effects* effects) {
  std::string why = end.cause;
  v1::PeersLost lost;
  lost.set_job(number);
  lost.set_asked_for(end.asked_for);
  const auto found = job.processes.find(end.first);
  if (found != job.processes.end()) {
    const v1::Process& process = found->second.process;
    v1::PeersLost::Loss& loss = *lost.add_losses();
    loss.set_process(end.first);
    loss.set_cause(absl::StrCat("it ", end.cause));
    why = absl::StrCat("rank ", process.rank(), " (", rpc::PlaceText(process.place()), ") ", end.cause);
  }
  if (!job.aborted_groups.emplace(group, why).second) return;  // all have heard of it
  effects->push_back(Record{Record::Kind::kGroupEnded, number, absl::StrCat("'", group, "' was aborted: ", why)});
  lost.set_cause(absl::StrCat("group '", group, "' was aborted: ", why));
  std::map<NodeId, v1::EndProcesses> ends;
  for (const auto& [id, state] : job.processes) {
    if (state.process.group() != group || id == end.first) continue;
    lost.add_losses()->set_process(id);
    if (state.gone) continue;
    ends[state.node].set_job(number);
    ends[state.node].add_processes(id);
  }
  std::set<JobNumber> programs = job.guests;
  programs.insert(number);
  Tell(programs, job.nodes, lost, effects);
  for (auto& [node, ranks] : ends) {
    if (nodes_.count(node) == 0) continue;
    ToNode effect{node, {}};
    *effect.message.mutable_end() = std::move(ranks);
    effects->push_back(std::move(effect));
  }
}

// A rank may fail at the end of its job, in its exit handlers for example. The program hears of that before JobEnded.
void ClusterState::TellOfEnd(JobNumber number, const Job& job, uint64_t process, const std::string& cause,
                             Effects* effects) {
  const bool well = cause == "exited with code 0" || absl::StartsWith(cause, "exited with code 0;");
  if (job.code != absl::StatusCode::kOk || job.program_gone || well) return;
  ToProgram effect{number, {}};
  v1::PeersLost& lost = *effect.message.mutable_lost();
  lost.set_job(number);
  lost.set_at_end(true);
  lost.add_losses()->set_process(process);
  lost.mutable_losses(0)->set_cause(absl::StrCat("it ", cause));
  effects->push_back(std::move(effect));
}

// Tells these programs, the nodes of their jobs, and `nodes`.
void ClusterState::Tell(const std::set<JobNumber>& programs, std::set<NodeId> nodes, const v1::PeersLost& lost,
                        Effects* effects) {
  for (JobNumber program : programs) {
    const auto found = jobs_.find(program);
    if (found == jobs_.end()) continue;
    nodes.insert(found->second.nodes.begin(), found->second.nodes.end());
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

// ---- the end of a job
void ClusterState::Finish(JobNumber number, absl::Duration grace, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job != jobs_.end()) BeginEnd(number, job->second, absl::StatusCode::kOk, "", grace, effects);
}

void ClusterState::ProgramGone(JobNumber number, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  job->second.program_gone = true;
  BeginEnd(number, job->second, absl::StatusCode::kCancelled, "its program is gone", absl::ZeroDuration(), effects);
}

void ClusterState::ProgramNotFound(NodeId node, JobNumber number, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job == jobs_.end() || job->second.nodes.count(node) == 0) return;
  const v1::Place& place = job->second.submit.program().place();
  BeginEnd(number, job->second, absl::StatusCode::kCancelled,
           absl::StrCat("its program is gone: node '", nodes_.at(node).description.name(), "' has no process ",
                        place.pid(), " any more"),
           absl::ZeroDuration(), effects);
}

absl::Status ClusterState::Stop(JobNumber number, const std::string& why, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) {
    const auto ended = std::find_if(ended_jobs_.begin(), ended_jobs_.end(),
                                    [number](const EndedJob& one) { return one.number == number; });
    return ended == ended_jobs_.end() ? UnknownJob(number) : JobHasEnded(number, ended->reason);
  }
  BeginEnd(number, job->second, absl::StatusCode::kCancelled, why, absl::ZeroDuration(), effects);
  return absl::OkStatus();
}

// A second call may shorten the grace, but keeps the first reason. It may end the job: `job` must not be used after it.
void ClusterState::BeginEnd(JobNumber number, Job& job, absl::StatusCode code, const std::string& why,
                            absl::Duration grace, Effects* effects) {
  const base::Instant cleared_by = clock_.Awake() + grace + options_.clearing_limit;
  if (job.state == JobState::kEnding && cleared_by >= job.cleared_by) return;
  if (job.state != JobState::kEnding) {
    job.code = code;
    job.reason = why;
    Enter(number, job, JobState::kEnding);
  }
  job.cleared_by = cleared_by;
  for (NodeId node : job.nodes) {
    ToNode effect{node, {}};
    effect.message.mutable_stop()->set_job(number);
    effect.message.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
    effects->push_back(std::move(effect));
  }
  EndIfCleared(number, effects);
}

void ClusterState::JobCleared(NodeId node, JobNumber number, base::Instant now, Effects* effects) {
  Observe(now);
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  job->second.nodes.erase(node);
  EndIfCleared(number, effects);
}

void ClusterState::EndIfCleared(JobNumber number, Effects* effects) {
  const auto found = jobs_.find(number);
  if (found != jobs_.end() && found->second.state == JobState::kEnding && found->second.nodes.empty()) {
    End(number, effects);
  }
}

// Nothing of the job is left: its leases end, its guests and its program are told, and it is kept for the status.
void ClusterState::End(JobNumber number, Effects* effects) {
  const auto found = jobs_.find(number);
  Job job = std::move(found->second);
  jobs_.erase(found);
  ForgetGuest(number);
  GiveBackAll(job);
  const v1::Components components = components_.Of(number);
  for (const v1::Component& component : components.components()) ForgetComponent(component.id(), effects);
  effects->push_back(Record{Record::Kind::kJobEnded, number, job.reason});
  if (!job.guests.empty()) {
    v1::PeersLost lost;
    lost.set_job(number);
    lost.set_at_end(job.code == absl::StatusCode::kOk);
    lost.set_cause(absl::StrCat("its job has ended", job.reason.empty() ? "" : ": ", job.reason));
    for (const auto& [id, state] : job.processes) lost.add_losses()->set_process(id);
    Tell(job.guests, {}, lost, effects);
  }
  if (!job.program_gone) effects->push_back(ToProgram{number, Ended(job.code, job.reason)});
  Keep(number, job);
  TryWaiting(effects);
}

// Jobs of which the ended job has found something stay acquainted: one may have received references of the other.
void ClusterState::ForgetGuest(JobNumber number) {
  std::vector<JobNumber> hosts;
  for (auto& [host, job] : jobs_) {
    if (job.guests.erase(number) != 0) hosts.push_back(host);
  }
  for (JobNumber host : hosts) {
    for (JobNumber other : hosts) {
      if (other != host) jobs_.at(host).guests.insert(other);
    }
  }
}

void ClusterState::Keep(JobNumber number, const Job& job) {
  EndedJob ended;
  ended.number = number;
  ended.name = base::CutText(job.submit.program().name(), base::kLongestName);
  ended.program = job.submit.program().place();
  ended.code = job.code;
  ended.reason = job.reason;
  ended.aborted_groups = job.aborted_groups;
  ended.submitted = job.submitted;
  ended.ended = now_;
  ended_jobs_.push_back(std::move(ended));
  if (ended_jobs_.size() > options_.ended_jobs_kept) ended_jobs_.pop_front();
}

}  // namespace twinkle::driver
