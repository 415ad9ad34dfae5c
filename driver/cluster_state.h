// What the driver knows and decides, without input, output or a clock of its own: events go in, effects come out.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "driver/component_table.h"
#include "driver/journal.h"
#include "driver/placement.h"
#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/transport.h"

namespace twinkle::driver {

using NodeId = uint64_t;
using JobNumber = uint64_t;

struct ToNode {
  NodeId node = 0;
  v1::DriverToNode message;
};
struct ToProgram {
  JobNumber job = 0;
  v1::DriverToProgram message;
};
// Records are to be kept before messages are sent.
using Effects = std::vector<std::variant<ToNode, ToProgram, Record>>;

struct ClusterOptions {
  std::string version = {};
  // How long a job's nodes may take to clear it, after the grace that its program gave.
  absl::Duration clearing_limit = absl::Seconds(10);
  // How long a node may be silent until it counts as gone.
  absl::Duration node_lease = absl::Seconds(20);
};

// A job's process ids are its number above these bits: 0 below them is the program, then come its workers.
using rpc::kProcessBits;

// Invariants:
//  D1 a job has all of its processes placed, or none;
//  D2 a device or slot is leased to one job at most, until every node that had processes of the job has cleared it, or
//     is gone;
//  D3 a group of which one process is gone is ended: its other processes are told to end, and every process that may
//     wait for one of them hears of all, the first cause first, once;
//  D4 each program that submitted hears JobEnded once, last.
// The order of events is their time; `now` never goes back. Not thread-safe.
class ClusterState {
 public:
  // `restored`: what an earlier driver of this cluster has kept.
  ClusterState(ClusterOptions options, base::Instant now, const Restored& restored = {})
      : options_(std::move(options)),
        began_(now),
        next_node_(restored.last_node + 1),
        next_job_(restored.last_job + 1),
        components_(restored.last_component + 1) {}

  // ---- nodes
  NodeId NodeJoined(const v1::NodeDescription& description, base::Instant now, Effects* effects);
  bool HasNode(NodeId node) const { return nodes_.count(node) != 0; }
  // Something came from it.
  void NodeAlive(NodeId node, base::Instant now);
  // TCP ports that were free there just now.
  void NodeHasPorts(NodeId node, const google::protobuf::RepeatedField<int>& ports);
  void NodeGone(NodeId node, const std::string& why, Effects* effects);
  void ProcessListens(NodeId node, const v1::ProcessListens& message, Effects* effects);
  void ProcessExited(NodeId node, const v1::ProcessExited& message, Effects* effects);
  void JobCleared(NodeId node, JobNumber job, Effects* effects);

  // ---- programs
  // `secret` is the job's. The job is placed, waits, or ends at once.
  JobNumber Submit(const v1::SubmitJob& submit, const std::string& secret, base::Instant now, Effects* effects);
  void ProgramListens(JobNumber job, const v1::ProgramListens& message, Effects* effects);
  // The group cannot go on: asked for by the program, or by one of its processes.
  void EndGroup(JobNumber job, const std::string& group, const std::string& cause, Effects* effects);
  void Finish(JobNumber job, absl::Duration grace, base::Instant now, Effects* effects);
  // It is gone, or somebody wants it to be: the job's processes end at once.
  void ProgramGone(JobNumber job, base::Instant now, Effects* effects);
  // NotFound.
  absl::Status Stop(JobNumber job, const std::string& why, base::Instant now, Effects* effects);

  // ---- names
  absl::StatusOr<v1::AddComponentReply> AddComponent(JobNumber job, v1::Component component, Effects* effects);
  void RemoveComponent(uint64_t id, Effects* effects);
  // NotFound. `caller`: the job that asks; it hears of the processes' ends from now on.
  absl::StatusOr<v1::FoundComponent> FindComponent(JobNumber caller, const std::string& name);
  v1::Components ComponentsOf(JobNumber job) const { return components_.Of(job); }
  // Where a process is, and what it is to be shown if it is another job's; the caller hears of that job's ends from now
  // on.
  // NotFound; Unavailable: it is gone; PermissionDenied: none of the two jobs has found a component of the other, nor
  // has any job of both.
  absl::StatusOr<v1::MetProcess> Meet(JobNumber caller, uint64_t process);
  // NotFound. The component's own address, HOST:PORT on the host of its group's first process.
  absl::StatusOr<std::string> Rendezvous(uint64_t component);

  // For a command that asks the job's processes. NotFound.
  absl::StatusOr<v1::JobVisit> Visit(JobNumber job) const;

  // ---- time and words
  // Deadlines that have passed.
  void Tick(base::Instant now, Effects* effects);
  // The next of them.
  std::optional<base::Instant> NextDeadline() const;
  v1::ClusterStatus Status(base::Instant now) const;
  // The job that a secret belongs to, for whoever shows it; 0: none.
  JobNumber JobOfSecret(const std::string& secret) const;

 private:
  enum class JobState { kWaiting, kStarting, kRunning, kEnding };
  struct Node {
    v1::NodeDescription description;
    base::Instant joined;
    base::Instant heard;    // of it, last
    std::deque<int> ports;  // that were free, for rendezvous
    FreeNode free;
  };
  struct ProcessState {
    v1::Process process;
    NodeId node = 0;
    int slots = 0;
    bool gone = false;
    std::string cause;
  };
  struct Job {
    v1::SubmitJob submit;
    std::string secret;
    JobState state = JobState::kWaiting;
    std::string reason;                             // what it waits for, or why it ends
    absl::StatusCode code = absl::StatusCode::kOk;  // with which it ends
    base::Instant submitted;
    base::Instant deadline = base::kForever;  // of waiting, or of clearing
    std::optional<v1::Endpoint> endpoint;     // the program's
    bool program_gone = false;
    std::map<uint64_t, ProcessState> processes;  // by id
    std::set<uint64_t> starting;                 // those that neither listen yet nor are gone
    std::set<NodeId> nodes;                      // not yet cleared
    std::set<std::string> ended_groups;
    std::set<JobNumber> guests;  // jobs that found a component of this one, or met a process
  };

  static const char* StateName(JobState state);
  void Enter(JobNumber number, Job& job, JobState state);
  void TryWaiting(Effects* effects);
  bool TryPlace(JobNumber number, Job& job, Effects* effects);
  absl::StatusOr<PlacedGroups> PlaceNow(const Job& job, bool as_if_free) const;
  void Lease(JobNumber number, Job& job, const PlacedGroups& placed);
  void SendPlaced(JobNumber number, const Job& job, Effects* effects);
  void StartOnNodes(JobNumber number, Job& job, Effects* effects);
  std::string NewAddress(const Job& job, const std::string& group);
  static v1::Process ProgramOf(JobNumber number, const Job& job);
  void StartedIfAll(JobNumber number, Job& job, Effects* effects);
  bool SpansMachines(const Job& job) const;
  void LoseGroup(JobNumber number, Job& job, const std::string& group, uint64_t first, const std::string& cause,
                 Effects* effects);
  void Tell(JobNumber number, const Job& job, const v1::PeersLost& lost, Effects* effects);
  void BeginEnd(JobNumber number, Job& job, absl::StatusCode code, const std::string& why, absl::Duration grace,
                base::Instant now, Effects* effects);
  void EndIfCleared(JobNumber number, Effects* effects);
  void GiveBack(const ProcessState& process, const std::string& device_type);
  bool Acquainted(JobNumber a, JobNumber b) const;

  const ClusterOptions options_;
  const base::Instant began_;
  NodeId next_node_;
  JobNumber next_job_;
  std::map<NodeId, Node> nodes_;
  std::map<JobNumber, Job> jobs_;
  ComponentTable components_;
  std::map<uint64_t, std::string> rendezvous_;
};

}  // namespace twinkle::driver
