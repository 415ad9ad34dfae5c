#include "driver/cluster_state.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "driver/bounds.h"
#include "driver/messages.h"
#include "driver/placement.h"
#include "runtime/base/cut_text.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/rpc/secret.h"

namespace twinkle::driver {
namespace {

constexpr absl::Duration kLongestPulse = absl::Seconds(1);
constexpr int kPulsesOfLease = 10;

v1::DriverToProgram Waits(const std::string& reason) {
  v1::DriverToProgram waits;
  waits.mutable_waits()->set_reason(reason);
  return waits;
}

v1::Process ProcessAt(const v1::NodeDescription& node, const v1::Group& group, int rank,
                      const std::vector<int>& local_devices) {
  v1::Process process;
  process.set_group(group.name());
  process.set_rank(rank);
  *process.mutable_place() = node.place();
  process.mutable_place()->set_node(node.name());
  process.mutable_place()->set_pid(0);
  *process.mutable_devices() = group.workers(rank).devices();
  for (int device : local_devices) process.add_local_devices(device);
  return process;
}

// The free devices of a node are ascending. Processes of several groups of a job may lease one device: the first takes
// it, and one of them puts it back.
void TakeDevice(std::vector<int>& free, int device) {
  free.erase(std::remove(free.begin(), free.end(), device), free.end());
}

void PutDevice(std::vector<int>& free, int device) {
  const auto place = std::lower_bound(free.begin(), free.end(), device);
  if (place == free.end() || *place != device) free.insert(place, device);
}

}  // namespace

ClusterState::ClusterState(ClusterOptions options, base::Instant now, const Restored& restored)
    : options_(std::move(options)),
      began_(now),
      now_(now),
      clock_(std::min(kLongestPulse, options_.node_lease / kPulsesOfLease), now),
      judges_from_(restored.last_node == 0 ? base::kLongAgo : clock_.Awake() + options_.return_grace),
      next_node_(restored.last_node + 1),
      next_job_(restored.last_job + 1),
      components_(restored.last_component + 1) {}

const char* ClusterState::StateName(JobState state) {
  switch (state) {
    case JobState::kWaiting:
      return "waiting";
    case JobState::kStarting:
      return "starting";
    case JobState::kRunning:
      return "running";
    case JobState::kEnding:
      return "ending";
  }
  return "";
}

void ClusterState::Enter(JobNumber number, Job& job, JobState state) {
  base::Log(base::LogLevel::kInfo, absl::StrCat("job ", number, ": ", StateName(job.state), " -> ", StateName(state)));
  job.state = state;
}

// ---- submitting
Record ClusterState::Submitting(const v1::SubmitJob& submit) const {
  return {Record::Kind::kJobSubmitted, next_job_, base::CutText(submit.program().name(), base::kLongestName)};
}

JobNumber ClusterState::Submit(const v1::SubmitJob& submit, const std::string& secret, base::Instant now,
                               Effects* effects) {
  Observe(now);
  const JobNumber number = next_job_++;
  Job& job = jobs_[number];
  job.submit = submit;
  job.secret = secret;
  job.submitted = now_;
  job.place_by = clock_.Awake() + absl::Milliseconds(submit.placement_limit_ms());
  absl::Status never = CheckJob(submit);
  if (never.ok()) never = CanEverFit(job);
  if (never.ok()) {
    TryPlace(number, job, effects);
  } else {
    EndWaiting(number, never, effects);
  }
  return number;
}

// ---- waiting
// A cluster without nodes cannot judge. Nodes that were there moments ago may come back.
absl::Status ClusterState::CanEverFit(const Job& job) const {
  if (nodes_.empty() || judges_from_ > clock_.Awake()) return absl::OkStatus();
  std::vector<FreeNode> nodes;
  for (const auto& [id, node] : nodes_) nodes.push_back(CapacityOf(id, node.description));
  for (const auto& [name, node] : departed_) nodes.push_back(node.whole);
  absl::Status fits = PlaceOn(job, nodes).status();
  if (fits.ok()) return fits;
  return absl::ResourceExhaustedError(absl::StrCat("the cluster can never fit this job: ", fits.message()));
}

void ClusterState::EndHopeless(Effects* effects) {
  std::map<JobNumber, absl::Status> hopeless;
  for (const auto& [number, job] : jobs_) {
    if (job.state != JobState::kWaiting) continue;
    if (absl::Status never = CanEverFit(job); !never.ok()) hopeless[number] = std::move(never);
  }
  for (const auto& [number, why] : hopeless) EndWaiting(number, why, effects);
  TryWaiting(effects);  // the other waiting jobs may get another reason
}

void ClusterState::EndWaiting(JobNumber number, const absl::Status& why, Effects* effects) {
  Job& job = jobs_.at(number);
  job.code = why.code();
  job.reason = std::string(why.message());
  End(number, effects);
}

// ---- placing
absl::StatusOr<PlacedGroups> ClusterState::PlaceOn(const Job& job, const std::vector<FreeNode>& nodes) const {
  return Place({{job.submit.groups().begin(), job.submit.groups().end()},
                job.submit.devices_per_node(),
                job.submit.slots_per_node(),
                job.submit.program().place().machine()},
               nodes);
}

void ClusterState::TryPlace(JobNumber number, Job& job, Effects* effects) {
  std::vector<FreeNode> free;
  for (const auto& [id, node] : nodes_) free.push_back(node.free);
  const absl::StatusOr<PlacedGroups> placed = PlaceOn(job, free);
  if (!placed.ok()) {
    std::string reason = nodes_.empty() ? "no node has joined the cluster yet (start twinkle-worker on one)"
                                        : std::string(placed.status().message());
    for (const auto& [name, node] : departed_) absl::StrAppend(&reason, "; node '", name, "' was there moments ago");
    if (std::exchange(job.reason, reason) != reason) effects->push_back(ToProgram{number, Waits(reason)});
    return;
  }
  job.reason.clear();
  AddProcesses(number, job, *placed);
  Enter(number, job, JobState::kStarting);
  effects->push_back(Record{Record::Kind::kJobPlaced, number,
                            absl::StrCat(job.processes.size(), job.processes.size() == 1 ? " process" : " processes",
                                         " on ", job.nodes.size(), job.nodes.size() == 1 ? " node" : " nodes")});
  SendPlaced(number, job, effects);
}

void ClusterState::TryWaiting(Effects* effects) {
  for (auto& [number, job] : jobs_) {  // first come, first served; a smaller job may overtake a larger one
    if (job.state == JobState::kWaiting) TryPlace(number, job, effects);
  }
}

// Makes the processes of a job that has its place, and takes what they lease.
void ClusterState::AddProcesses(JobNumber number, Job& job, const PlacedGroups& placed) {
  uint64_t id = number << kProcessBits;
  std::map<std::pair<NodeId, int>, int> local_ranks;  // the next one, by node and group
  for (int g = 0; g < job.submit.groups_size(); ++g) {
    const v1::Group& group = job.submit.groups(g);
    for (int rank = 0; rank < group.workers_size(); ++rank) {
      const PlacedWorker& worker = placed[static_cast<size_t>(g)][static_cast<size_t>(rank)];
      ProcessState& state = job.processes[++id];
      state.process = ProcessAt(nodes_.at(worker.node).description, group, rank, worker.local_devices);
      state.process.set_id(id);
      state.process.set_local_rank(local_ranks[{worker.node, g}]++);
      state.node = worker.node;
      state.device_type = group.device_type();
      if (group.device_type() == kCpu) state.slots = group.workers(rank).slots();
      BeginLease(state);
      job.starting.insert(id);
      job.nodes.insert(worker.node);
    }
  }
}

void ClusterState::BeginLease(ProcessState& state) {
  FreeNode& free = nodes_.at(state.node).free;
  free.slots -= state.slots;
  for (int device : state.process.local_devices()) TakeDevice(free.devices[state.device_type], device);
}

// Frees what one process has leased, but the devices that are `held`.
void ClusterState::EndLease(ProcessState& state, absl::FunctionRef<bool(int device)> held) {
  if (std::exchange(state.given_back, true)) return;
  const auto node = nodes_.find(state.node);
  if (node == nodes_.end()) return;
  FreeNode& free = node->second.free;
  free.slots += state.slots;
  for (int device : state.process.local_devices()) {
    if (!held(device)) PutDevice(free.devices[state.device_type], device);
  }
}

// Ends the lease of one process of a job that goes on. A device that several groups share is free when the last process
// has given it back.
void ClusterState::GiveBack(const Job& job, ProcessState& state) {
  EndLease(state, [&](int device) {
    return std::any_of(job.processes.begin(), job.processes.end(), [&](const auto& entry) {
      const ProcessState& other = entry.second;
      const auto& devices = other.process.local_devices();
      return other.node == state.node && !other.given_back && other.device_type == state.device_type &&
             std::find(devices.begin(), devices.end(), device) != devices.end();
    });
  });
}

// Ends all leases of a job at once: nobody holds what another gives back.
void ClusterState::GiveBackAll(Job& job) {
  for (auto& [id, state] : job.processes) EndLease(state, [](int) { return false; });
}

// ---- time
void ClusterState::Observe(base::Instant now) {
  now_ = std::max(now_, now);
  clock_.Observe(now);
}

base::Instant ClusterState::DeadlineOf(const Job& job) {
  switch (job.state) {
    case JobState::kWaiting:
      return job.place_by;
    case JobState::kEnding:
      return job.cleared_by;
    case JobState::kStarting:
    case JobState::kRunning:
      break;
  }
  return base::kForever;
}

void ClusterState::Tick(base::Instant now, Effects* effects) {
  Observe(now);
  EndSilentNodes(effects);
  ForgetDeparted(effects);
  std::vector<JobNumber> overdue;
  for (const auto& [number, job] : jobs_) {
    if (DeadlineOf(job) <= clock_.Awake()) overdue.push_back(number);
  }
  for (JobNumber number : overdue) {
    Job& job = jobs_.at(number);
    if (job.state == JobState::kWaiting) {
      EndWaiting(number,
                 absl::DeadlineExceededError(absl::StrCat("the cluster had no room for the job within ",
                                                          static_cast<double>(job.submit.placement_limit_ms()) / 1000,
                                                          " s: ", job.reason)),
                 effects);
    } else if (job.state == JobState::kEnding) {
      base::Log(base::LogLevel::kWarning, absl::StrCat("job ", number, ": some nodes have not cleared it in time"));
      job.nodes.clear();
      EndIfCleared(number, effects);
    }
  }
}

std::optional<base::Instant> ClusterState::NextTick() const {
  base::Instant next = base::kForever;
  if (options_.node_lease != absl::InfiniteDuration()) {
    for (const auto& [id, node] : nodes_) {
      next = std::min(next, std::max(node.heard, clock_.Woken()) + options_.node_lease);
    }
  }
  for (const auto& [name, node] : departed_) next = std::min(next, node.until);
  for (const auto& [number, job] : jobs_) next = std::min(next, DeadlineOf(job));
  if (judges_from_ != base::kLongAgo) next = std::min(next, judges_from_);
  if (next == base::kForever) return std::nullopt;
  return std::min(clock_.WhenAwakeFor(next), clock_.NextPulse());
}

// Compares with all secrets, though one may have been found: the time that it takes says nothing of them.
JobNumber ClusterState::JobOfSecret(const std::string& secret) const {
  JobNumber found = 0;
  for (const auto& [number, job] : jobs_) {
    if (rpc::SecretsEqual(job.secret, secret)) found = number;
  }
  return found;
}

}  // namespace twinkle::driver
