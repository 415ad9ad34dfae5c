// The start of a job: from its placement until all of its processes listen.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "driver/cluster_state.h"

namespace twinkle::driver {
namespace {

constexpr int kUsualPort = 29500;            // where a node has reported no free port
constexpr size_t kIntroducedTogether = 256;  // up to so many processes of a job are all told of each other at its start

v1::GroupLayout LayoutOf(const v1::Group& group) {
  v1::GroupLayout layout;
  layout.set_name(group.name());
  layout.set_device_type(group.device_type());
  layout.set_workers(group.workers_size());
  layout.set_rendezvous(group.rendezvous());
  layout.set_own_devices(group.own_devices());
  for (const v1::Group::Worker& worker : group.workers()) layout.mutable_devices()->MergeFrom(worker.devices());
  return layout;
}

}  // namespace

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
  // Jobs on other machines may find a component of a job that runs on one machine.
  for (const auto& [id, node] : nodes_) {
    if (node.description.place().machine() != job.submit.program().place().machine()) continue;
    const std::string& address = node.description.endpoint().address();
    if (!address.empty()) placed.set_listen_host(address.substr(0, address.rfind(':')));
  }
  if (placed.listen_host().empty() && SpansMachines(job)) placed.set_listen_host("*");
  effects->push_back(std::move(effect));
}

void ClusterState::ProgramListens(JobNumber number, const v1::ProgramListens& message, Effects* effects) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.state != JobState::kStarting || found->second.endpoint) return;
  found->second.endpoint = message.endpoint();
  found->second.submit.mutable_program()->set_digest(message.digest());
  *found->second.submit.mutable_program()->mutable_files() = message.files();
  StartOnNodes(number, found->second, effects);
  StartedIfAll(number, found->second, effects);
}

// HOST:PORT on the node of the group's first process.
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
    if (node != of_node.end())
      *node->second.add_processes() = state.process;  // else the node is gone, and the job ends
  }
  int node_rank = 0;
  for (auto& [id, start] : of_node) {
    const auto node = nodes_.find(id);
    if (node == nodes_.end()) continue;
    const std::string& address = node->second.description.endpoint().address();
    start.set_listen_host(address.substr(0, address.rfind(':')));
    start.set_node_rank(node_rank++);
    ToNode effect{id, {}};
    *effect.message.mutable_start() = std::move(start);
    effects->push_back(std::move(effect));
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
  // To tell each process of each other is quadratic. In large jobs, processes on other nodes are looked up when they
  // are needed (Meet).
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

}  // namespace twinkle::driver
