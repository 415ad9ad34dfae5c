#include "driver/cluster_state.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "driver/messages.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"

namespace twinkle::driver {
namespace {

constexpr char kCpu[] = "cpu";
constexpr int kUsualPort = 29500;            // where a node told of none
constexpr size_t kIntroducedTogether = 256;  // processes of a job that are told of each other when it starts

v1::DriverToProgram Waits(const std::string& reason) {
  v1::DriverToProgram waits;
  waits.mutable_waits()->set_reason(reason);
  return waits;
}

absl::Status Check(const v1::SubmitJob& submit) {
  if (submit.devices_per_node() < 1 || submit.slots_per_node() < 1) {
    return absl::InvalidArgumentError("a virtual node must have at least one device and one CPU slot");
  }
  for (const v1::Group& group : submit.groups()) {
    for (const auto& worker : group.workers()) {
      std::set<int> virtual_nodes;
      for (const int index : worker.devices()) {
        if (index < 0)
          return absl::InvalidArgumentError(absl::StrCat("group '", group.name(), "' has a negative device"));
        virtual_nodes.insert(index / submit.devices_per_node());
      }
      if (virtual_nodes.size() <= 1) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("group '", group.name(), "': the devices of one worker process are on several virtual nodes of ",
                       submit.devices_per_node(), " devices: nproc_per_node must be a multiple of devices_per_worker"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

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

// ---- nodes
NodeId ClusterState::NodeJoined(const v1::NodeDescription& description, base::Instant now, Effects* effects) {
  const NodeId id = next_node_++;
  Node& node = nodes_[id];
  node.description = description;
  node.joined = now;
  node.heard = now;
  node.ports.assign(description.free_ports().begin(), description.free_ports().end());
  effects->push_back(Record{Record::Kind::kNodeJoined, id, description.name()});
  node.free = {id, description.name(), description.place().machine(), description.cpu_slots(), {}};
  for (const auto& [type, count] : description.devices()) {
    for (int device = 0; device < count; ++device) node.free.devices[type].push_back(device);
  }
  ToNode joined{id, {}};
  joined.message.mutable_joined()->set_node(id);
  effects->push_back(std::move(joined));
  TryWaiting(effects);
  return id;
}

void ClusterState::NodeAlive(NodeId id, base::Instant now) {
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) found->second.heard = now;
}

void ClusterState::NodeHasPorts(NodeId id, const google::protobuf::RepeatedField<int>& ports) {
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) found->second.ports.assign(ports.begin(), ports.end());
}

void ClusterState::NodeGone(NodeId id, const std::string& why, Effects* effects) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return;
  const std::string name = found->second.description.name();
  nodes_.erase(found);
  effects->push_back(Record{Record::Kind::kNodeGone, id, why});
  std::vector<JobNumber> concerned;
  for (const auto& [number, job] : jobs_) {
    if (job.nodes.count(id) != 0) concerned.push_back(number);
  }
  for (JobNumber number : concerned) {
    Job& job = jobs_[number];
    job.nodes.erase(id);
    std::vector<uint64_t> lost;
    for (auto& [process_id, process] : job.processes) {
      if (process.node == id && !process.gone) lost.push_back(process_id);
    }
    for (uint64_t process : lost) {
      LoseGroup(number, job, job.processes[process].process.group(), process,
                absl::StrCat("was on node '", name, "', which is gone: ", why), effects);
    }
    EndIfCleared(number, effects);
  }
}

void ClusterState::ProcessListens(NodeId node, const v1::ProcessListens& message, Effects* effects) {
  const auto job = jobs_.find(message.job());
  if (job == jobs_.end()) return;
  const auto process = job->second.processes.find(message.process());
  if (process == job->second.processes.end() || process->second.node != node) return;
  job->second.starting.erase(message.process());
  process->second.process.mutable_place()->set_pid(message.pid());
  *process->second.process.mutable_endpoint() = message.endpoint();
  StartedIfAll(job->first, job->second, effects);
}

void ClusterState::ProcessExited(NodeId node, const v1::ProcessExited& message, Effects* effects) {
  const auto job = jobs_.find(message.job());
  if (job == jobs_.end()) return;
  const auto found = job->second.processes.find(message.process());
  if (found == job->second.processes.end() || found->second.node != node || found->second.gone) return;
  std::string cause = message.cause();
  if (message.last_lines_size() > 0) {
    absl::StrAppend(&cause, "; the last it printed:\n  ", absl::StrJoin(message.last_lines(), "\n  "));
  }
  LoseGroup(job->first, job->second, found->second.process.group(), message.process(), cause, effects);
}

void ClusterState::JobCleared(NodeId node, JobNumber number, Effects* effects) {
  const auto job = jobs_.find(number);
  if (job == jobs_.end()) return;
  job->second.nodes.erase(node);
  EndIfCleared(number, effects);
}

// ---- placing
JobNumber ClusterState::Submit(const v1::SubmitJob& submit, const std::string& secret, base::Instant now,
                               Effects* effects) {
  const JobNumber number = next_job_++;
  Job& job = jobs_[number];
  job.submit = submit;
  job.secret = secret;
  job.submitted = now;
  effects->push_back(Record{Record::Kind::kJobSubmitted, number, submit.program().name()});
  job.deadline = now + absl::Milliseconds(submit.placement_limit_ms());
  const absl::Status bad = Check(submit);
  // With no nodes there is nothing to judge by yet.
  const absl::Status never = !bad.ok() || nodes_.empty() ? absl::OkStatus() : PlaceNow(job, true).status();
  if (!bad.ok() || !never.ok()) {
    const absl::Status why =
        !bad.ok() ? bad
                  : absl::ResourceExhaustedError(absl::StrCat("the cluster can never fit this job: ", never.message()));
    effects->push_back(Record{Record::Kind::kJobEnded, number, std::string(why.message())});
    effects->push_back(ToProgram{number, Ended(why.code(), std::string(why.message()))});
    jobs_.erase(number);
    return number;
  }
  TryPlace(number, job, effects);
  return number;
}

absl::StatusOr<PlacedGroups> ClusterState::PlaceNow(const Job& job, bool as_if_free) const {
  Wish wish{{job.submit.groups().begin(), job.submit.groups().end()},
            job.submit.devices_per_node(),
            job.submit.slots_per_node(),
            job.submit.program().place().machine()};
  std::vector<FreeNode> nodes;
  for (const auto& [id, node] : nodes_) {
    nodes.push_back(node.free);
    if (!as_if_free) continue;
    nodes.back().slots = node.description.cpu_slots();
    for (const auto& [type, count] : node.description.devices()) {
      nodes.back().devices[type].clear();
      for (int device = 0; device < count; ++device) nodes.back().devices[type].push_back(device);
    }
  }
  return Place(wish, nodes);
}

bool ClusterState::TryPlace(JobNumber number, Job& job, Effects* effects) {
  const absl::StatusOr<PlacedGroups> placed = PlaceNow(job, false);
  if (!placed.ok()) {
    const std::string reason = nodes_.empty() ? "no node has joined the cluster yet (start twinkle-worker on one)"
                                              : std::string(placed.status().message());
    if (std::exchange(job.reason, reason) != reason) effects->push_back(ToProgram{number, Waits(reason)});
    return false;
  }
  job.deadline = base::kForever;
  job.reason.clear();
  Lease(number, job, *placed);
  Enter(number, job, JobState::kStarting);
  effects->push_back(Record{Record::Kind::kJobPlaced, number, absl::StrCat(job.processes.size(), " processes")});
  SendPlaced(number, job, effects);
  return true;
}

void ClusterState::TryWaiting(Effects* effects) {
  for (auto& [number, job] : jobs_) {  // first come, first served; a smaller one may go past a larger
    if (job.state == JobState::kWaiting) TryPlace(number, job, effects);
  }
}

void ClusterState::Lease(JobNumber number, Job& job, const PlacedGroups& placed) {
  uint64_t id = number << kProcessBits;
  std::map<std::pair<uint64_t, int>, int> local_ranks;            // of a node and a group
  std::map<std::string, std::set<std::pair<NodeId, int>>> taken;  // devices, by type: groups may share them
  for (int g = 0; g < job.submit.groups_size(); ++g) {
    const v1::Group& group = job.submit.groups(g);
    for (int rank = 0; rank < group.workers_size(); ++rank) {
      const PlacedWorker& worker = placed[static_cast<size_t>(g)][static_cast<size_t>(rank)];
      Node& node = nodes_.at(worker.node);
      ProcessState& state = job.processes[++id];
      job.starting.insert(id);
      v1::Process& process = state.process;
      process.set_id(id);
      process.set_group(group.name());
      process.set_rank(rank);
      process.set_local_rank(local_ranks[{worker.node, g}]++);
      *process.mutable_place() = node.description.place();
      process.mutable_place()->set_node(node.description.name());
      process.mutable_place()->set_pid(0);
      *process.mutable_devices() = group.workers(rank).devices();
      for (int device : worker.local_devices) {
        process.add_local_devices(device);
        taken[group.device_type()].insert({worker.node, device});
      }
      state.node = worker.node;
      if (group.device_type() == kCpu) {
        state.slots = group.workers(rank).slots();
        node.free.slots -= state.slots;
      }
      job.nodes.insert(worker.node);
    }
  }
  for (const auto& [type, devices] : taken) {
    for (const auto& [node, device] : devices) {
      std::vector<int>& free = nodes_.at(node).free.devices[type];
      free.erase(std::remove(free.begin(), free.end(), device), free.end());
    }
  }
}

bool ClusterState::SpansMachines(const Job& job) const {
  return std::any_of(job.processes.begin(), job.processes.end(), [&](const auto& entry) {
    return entry.second.process.place().machine() != job.submit.program().place().machine();
  });
}

void ClusterState::SendPlaced(JobNumber number, const Job& job, Effects* effects) {
  ToProgram effect{number, {}};
  v1::JobPlaced& placed = *effect.message.mutable_placed();
  placed.set_job(number);
  placed.set_secret(job.secret);
  placed.set_process(number << kProcessBits);
  for (const auto& [id, state] : job.processes) *placed.add_processes() = state.process;
  for (NodeId node : job.nodes) *placed.add_nodes() = nodes_.at(node).description;
  if (SpansMachines(job)) {
    placed.set_listen_host("*");
    for (const auto& [id, node] : nodes_) {
      if (node.description.place().machine() != job.submit.program().place().machine()) continue;
      const std::string& address = node.description.endpoint().address();
      placed.set_listen_host(address.substr(0, address.rfind(':')));
    }
  }
  effects->push_back(std::move(effect));
}

// ---- starting
void ClusterState::ProgramListens(JobNumber number, const v1::ProgramListens& message, Effects* effects) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.state != JobState::kStarting || found->second.endpoint) return;
  found->second.endpoint = message.endpoint();
  found->second.submit.mutable_program()->set_digest(message.digest());
  *found->second.submit.mutable_program()->mutable_files() = message.files();
  StartOnNodes(number, found->second, effects);
  StartedIfAll(number, found->second, effects);
}

// HOST:PORT where the group's first process is.
std::string ClusterState::NewAddress(const Job& job, const std::string& group) {
  for (const auto& [id, state] : job.processes) {
    if (state.process.group() != group) continue;
    const auto found = nodes_.find(state.node);
    if (found == nodes_.end()) return "";
    Node& node = found->second;
    const std::string& target = node.description.endpoint().address();
    int port = kUsualPort;
    if (!node.ports.empty()) {
      port = node.ports.front();
      node.ports.pop_front();
    }
    return absl::StrCat(target.empty() ? "127.0.0.1" : target.substr(0, target.rfind(':')), ":", port);
  }
  return "";
}

namespace {

v1::GroupLayout LayoutOf(const v1::Group& group) {
  v1::GroupLayout layout;
  layout.set_name(group.name());
  layout.set_device_type(group.device_type());
  layout.set_workers(group.workers_size());
  layout.set_rendezvous(group.rendezvous());
  for (const v1::Group::Worker& worker : group.workers()) layout.mutable_devices()->MergeFrom(worker.devices());
  return layout;
}

}  // namespace

void ClusterState::StartOnNodes(JobNumber number, Job& job, Effects* effects) {
  v1::StartJob for_all;
  for (v1::Group& group : *job.submit.mutable_groups()) {
    group.set_rendezvous(NewAddress(job, group.name()));
    *for_all.add_groups() = LayoutOf(group);
    (*for_all.mutable_world_sizes())[group.name()] = group.workers_size();
  }
  for_all.set_job(number);
  for_all.set_secret(job.secret);
  *for_all.mutable_program() = job.submit.program();
  for_all.set_session(job.submit.session());
  for_all.set_program_process(number << kProcessBits);
  for_all.set_nodes(static_cast<int>(job.nodes.size()));
  for (const auto& [id, node] : nodes_) {
    if (node.description.place().machine() != job.submit.program().place().machine()) continue;
    *for_all.mutable_program_node() = node.description.endpoint();
  }
  std::map<NodeId, v1::StartJob> of_node;
  for (NodeId id : job.nodes) of_node[id] = for_all;
  for (const auto& [process, state] : job.processes) {
    const auto node = of_node.find(state.node);
    if (node != of_node.end()) *node->second.add_processes() = state.process;  // else it is gone, and Tick ends the job
  }
  int node_rank = 0;
  const bool listen = SpansMachines(job);
  for (auto& [id, start] : of_node) {
    const auto node = nodes_.find(id);
    if (node == nodes_.end()) continue;
    const std::string& address = node->second.description.endpoint().address();
    if (listen) start.set_listen_host(address.substr(0, address.rfind(':')));
    start.set_node_rank(node_rank++);
    ToNode effect{id, {}};
    *effect.message.mutable_start() = std::move(start);
    effects->push_back(std::move(effect));
  }
}

v1::Process ClusterState::ProgramOf(JobNumber number, const Job& job) {
  v1::Process program;
  program.set_id(number << kProcessBits);
  *program.mutable_place() = job.submit.program().place();
  if (job.endpoint) *program.mutable_endpoint() = *job.endpoint;
  return program;
}

void ClusterState::StartedIfAll(JobNumber number, Job& job, Effects* effects) {
  if (job.state != JobState::kStarting || !job.endpoint || !job.starting.empty()) return;
  Enter(number, job, JobState::kRunning);
  v1::JobPeers peers;
  peers.set_job(number);
  *peers.add_processes() = ProgramOf(number, job);
  std::map<NodeId, v1::JobPeers> of_node;
  for (NodeId node : job.nodes) of_node[node] = peers;
  for (const auto& [id, state] : job.processes) {
    *peers.add_processes() = state.process;
    const auto node = of_node.find(state.node);
    if (node != of_node.end()) *node->second.add_processes() = state.process;
  }
  // Each with each is quadratic: in large jobs those on other nodes are asked for when they are needed (Meet).
  const bool all = job.processes.size() <= kIntroducedTogether;
  for (auto& [node, some] : of_node) {
    ToNode effect{node, {}};
    *effect.message.mutable_peers() = all ? peers : std::move(some);
    effects->push_back(std::move(effect));
  }
  ToProgram effect{number, {}};
  *effect.message.mutable_peers() = std::move(peers);
  effects->push_back(std::move(effect));
}

// ---- time and words
void ClusterState::Tick(base::Instant now, Effects* effects) {
  std::vector<NodeId> silent;
  for (const auto& [id, node] : nodes_) {
    if (now - node.heard >= options_.node_lease) silent.push_back(id);
  }
  for (NodeId id : silent) {
    NodeGone(id, absl::StrCat("nothing was heard of it for ", absl::FormatDuration(options_.node_lease)), effects);
  }
  std::vector<JobNumber> numbers;
  numbers.reserve(jobs_.size());
  for (const auto& [number, job] : jobs_) numbers.push_back(number);
  for (JobNumber number : numbers) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end()) continue;
    Job& job = found->second;
    if (job.state == JobState::kStarting && job.code != absl::StatusCode::kOk) {
      const absl::StatusCode code = job.code;
      BeginEnd(number, job, code, std::string(job.reason), absl::ZeroDuration(), now, effects);
      continue;
    }
    if (now < job.deadline) continue;
    if (job.state == JobState::kWaiting) {
      effects->push_back(
          ToProgram{number, Ended(absl::StatusCode::kDeadlineExceeded,
                                  absl::StrCat("the cluster had no room for the job within ",
                                               job.submit.placement_limit_ms() / 1000.0, " s: ", job.reason))});
      effects->push_back(Record{Record::Kind::kJobEnded, number, "there was no room for it in time"});
      jobs_.erase(found);
    } else if (job.state == JobState::kEnding) {
      base::Log(base::LogLevel::kWarning, absl::StrCat("job ", number, ": some nodes have not cleared it in time"));
      job.nodes.clear();
      EndIfCleared(number, effects);
    }
  }
}

std::optional<base::Instant> ClusterState::NextDeadline() const {
  base::Instant next = base::kForever;
  for (const auto& [id, node] : nodes_) next = std::min(next, node.heard + options_.node_lease);
  for (const auto& [number, job] : jobs_) {
    const bool failed = job.state == JobState::kStarting && job.code != absl::StatusCode::kOk;
    next = std::min(next, failed ? base::kLongAgo : job.deadline);
  }
  if (next == base::kForever) return std::nullopt;
  return next;
}
JobNumber ClusterState::JobOfSecret(const std::string& secret) const {
  for (const auto& [number, job] : jobs_) {
    if (!secret.empty() && job.secret == secret) return number;
  }
  return 0;
}

}  // namespace twinkle::driver
