// Nodes: how they join, what their silence means, and what is lost with them.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "driver/bounds.h"
#include "driver/cluster_state.h"
#include "runtime/rpc/wire_place.h"

namespace twinkle::driver {
namespace {

// Part of the lease: a silence that is mentioned, as a node speaks five times in a lease.
constexpr double kLongSilence = 0.4;

}  // namespace

FreeNode ClusterState::CapacityOf(NodeId id, const v1::NodeDescription& description) {
  FreeNode whole{id, description.name(), description.place().machine(), description.cpu_slots(), {}};
  for (const auto& [type, count] : description.devices()) {
    for (int device = 0; device < count; ++device) whole.devices[type].push_back(device);
  }
  return whole;
}

const ClusterState::Node* ClusterState::NodeNamed(const std::string& name, NodeId* id) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const auto& entry) { return entry.second.description.name() == name; });
  if (found == nodes_.end()) return nullptr;
  *id = found->first;
  return &found->second;
}

namespace {

// Whether two places are of the same daemon process, which has connected anew before its earlier connection's end was
// seen.
bool SameDaemon(const v1::Place& a, const v1::Place& b) {
  return a.machine() == b.machine() && a.host() == b.host() && a.pids() == b.pids() && a.pid() == b.pid();
}

}  // namespace

absl::Status ClusterState::CheckJoin(const v1::NodeDescription& description) const {
  if (absl::Status bad = CheckNode(description); !bad.ok()) return bad;
  NodeId id = 0;
  const Node* const other = NodeNamed(description.name(), &id);
  if (other == nullptr || SameDaemon(other->description.place(), description.place())) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("there is a node '", description.name(), "' already (",
                                               rpc::PlaceText(other->description.place()),
                                               "): give this one another --node-name, or end that daemon"));
}

Record ClusterState::Joining(const v1::NodeDescription& description) const {
  return {Record::Kind::kNodeJoined, next_node_, description.name()};
}

NodeId ClusterState::NodeJoined(const v1::NodeDescription& description, base::Instant now, Effects* effects) {
  Observe(now);
  NodeId earlier = 0;
  if (NodeNamed(description.name(), &earlier) != nullptr) {
    NodeGone(earlier, "its daemon has connected anew", now, effects);
  }
  departed_.erase(description.name());
  // A driver without a journal goes on with the numbers that this node has seen of an earlier driver.
  next_job_ = std::max(next_job_, description.last_job() + 1);
  const NodeId id = next_node_++;
  Node& node = nodes_[id];
  node.description = description;
  node.joined = now_;
  node.heard = clock_.Awake();
  node.free = CapacityOf(id, description);
  NodeHasPorts(id, description.free_ports());
  ToNode joined{id, {}};
  joined.message.mutable_joined()->set_node(id);
  if (options_.node_lease != absl::InfiniteDuration()) {
    joined.message.mutable_joined()->set_lease_ms(absl::ToInt64Milliseconds(options_.node_lease));
  }
  effects->push_back(std::move(joined));
  TryWaiting(effects);
  return id;
}

void ClusterState::NodeAlive(NodeId id, base::Instant now) {
  Observe(now);
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) found->second.heard = clock_.Awake();
}

void ClusterState::NodeHasPorts(NodeId id, const google::protobuf::RepeatedField<int>& ports) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return;
  std::deque<int>& known = found->second.ports;
  known.clear();
  for (const int port : ports) {
    if (port > 0 && port <= kHighestPort && known.size() < kMostPorts) known.push_back(port);
  }
}

void ClusterState::NodeGone(NodeId id, const std::string& why, base::Instant now, Effects* effects) {
  Observe(now);
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return;
  const std::string name = found->second.description.name();
  departed_[name] = {CapacityOf(id, found->second.description), clock_.Awake() + options_.return_grace};
  nodes_.erase(found);
  effects->push_back(Record{Record::Kind::kNodeGone, id, absl::StrCat("'", name, "': ", why)});
  const std::string cause = absl::StrCat("was on node '", name, "', which is gone: ", why);
  std::vector<JobNumber> concerned;
  for (auto& [number, job] : jobs_) {
    if (job.nodes.erase(id) != 0) concerned.push_back(number);
  }
  for (JobNumber number : concerned) {
    std::vector<uint64_t> lost;
    for (const auto& [process, state] : jobs_.at(number).processes) {
      if (state.node == id && !state.gone) lost.push_back(process);
    }
    for (uint64_t process : lost) LoseProcess(number, process, cause, effects);
    EndIfCleared(number, effects);
  }
}

void ClusterState::NodeDisconnected(NodeId id, base::Instant now, Effects* effects) {
  Observe(now);
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return;
  const absl::Duration silence = SilenceOf(found->second);
  const std::string ended = "its daemon's connection ended";
  if (silence < kLongSilence * options_.node_lease) return NodeGone(id, ended, now, effects);
  const std::string heard = absl::StrCat("nothing was heard of it for ", absl::ToInt64Seconds(silence), " s, and ");
  NodeGone(id, heard + ended, now, effects);
}

// ---- time
// A node's silence counts from the driver's own last pause, at the earliest.
absl::Duration ClusterState::SilenceOf(const Node& node) const {
  return clock_.Awake() - std::max(node.heard, clock_.Woken());
}

void ClusterState::EndSilentNodes(Effects* effects) {
  std::vector<NodeId> silent;
  for (const auto& [id, node] : nodes_) {
    if (SilenceOf(node) >= options_.node_lease) silent.push_back(id);
  }
  for (NodeId id : silent) {
    NodeGone(id, absl::StrCat("nothing was heard of it for ", absl::FormatDuration(options_.node_lease)), now_,
             effects);
  }
}

// Jobs that wait for a node that has not come back are told that they cannot fit.
void ClusterState::ForgetDeparted(Effects* effects) {
  bool judge = false;
  for (auto node = departed_.begin(); node != departed_.end();) {
    const bool over = node->second.until <= clock_.Awake();
    judge |= over;
    node = over ? departed_.erase(node) : std::next(node);
  }
  if (judges_from_ != base::kLongAgo && judges_from_ <= clock_.Awake()) {
    judge = true;
    judges_from_ = base::kLongAgo;
  }
  if (judge) EndHopeless(effects);
}

}  // namespace twinkle::driver
