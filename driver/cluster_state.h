// The cluster's state machine: what the driver knows and decides. It has no input, output or clock of its own: events
// go in, effects come out. It is one class in six files: cluster_state.cc has a job submitted, waiting and placed, and
// the time; cluster_nodes.cc how nodes come and go; job_start.cc and job_end.cc the two ends of a job, losses included;
// cluster_names.cc what jobs find of each other; cluster_status.cc what people are told.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/component_table.h"
#include "driver/effects.h"
#include "driver/journal.h"
#include "driver/placement.h"
#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/awake_clock.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/transport.h"

namespace twinkle::driver {

struct ClusterOptions {
  std::string version = {};
  // How long the nodes of a job may take to clear it, beyond the grace that its program gave.
  absl::Duration clearing_limit = absl::Seconds(10);
  // How long a node may be silent before it counts as gone. Infinite where its end is seen directly.
  absl::Duration node_lease = absl::Seconds(20);
  // How long a node that is gone counts as coming back, for the question whether a job can ever fit.
  absl::Duration return_grace = absl::Seconds(30);
  size_t ended_jobs_kept = 100;  // for the status of the cluster
};

// The low bits of a process id (runtime/base/ids.h). Above them stands the job's number; with 0 in them the id is the
// program's.
using rpc::kProcessBits;

// The nodes, jobs, components and names of a cluster. The order of events is their time: `now` is when an event
// arrived. For one thread at a time. Invariants:
//  CS1 a job has all of its processes placed, or none;
//  CS2 a device or slot is leased to one job at most. The lease ends when its process has been cleared, with all that
//      it had started, and its group has ended; or when every node that had processes of the job has cleared it, is
//      gone, or has not answered within the clearing limit;
//  CS3 a group that has lost one process is ended: its other processes are told to end, and every process that may wait
//      for one of them is told of all losses, the first cause first, once;
//  CS4 each program that submitted a job hears JobEnded once, last;
//  CS5 silence, and the time that others take, count only while the driver was awake (base::AwakeClock): after a pause
//      of the driver's own every lease begins anew.
class ClusterState {
 public:
  // `restored`: the state that an earlier driver of this cluster has kept.
  ClusterState(ClusterOptions options, base::Instant now, const Restored& restored = {});

  // ---- nodes
  // Whether a node may join. InvalidArgument: its description is out of bounds (bounds.h). AlreadyExists: another
  // daemon of that name is there. The same daemon process that has connected anew may join.
  absl::Status CheckJoin(const v1::NodeDescription& description) const;
  // The record of the node that NodeJoined would add next; to be written to the journal before NodeJoined.
  Record Joining(const v1::NodeDescription& description) const;
  // Adds a node that CheckJoin lets in.
  NodeId NodeJoined(const v1::NodeDescription& description, base::Instant now, Effects* effects);
  bool HasNode(NodeId node) const { return nodes_.count(node) != 0; }
  // A message of the node has arrived: its lease begins anew.
  void NodeAlive(NodeId node, base::Instant now);
  // The node's free TCP ports, as of just now.
  void NodeHasPorts(NodeId node, const google::protobuf::RepeatedField<int>& ports);
  void NodeGone(NodeId node, const std::string& why, base::Instant now, Effects* effects);
  // NodeGone for a node whose connection ended, because its daemon ended or the network fell silent.
  void NodeDisconnected(NodeId node, base::Instant now, Effects* effects);
  void ProcessListens(NodeId node, const v1::ProcessListens& message, Effects* effects);
  void ProcessExited(NodeId node, const v1::ProcessExited& message, base::Instant now, Effects* effects);
  void ProcessCleared(NodeId node, JobNumber job, uint64_t process, base::Instant now, Effects* effects);
  void JobCleared(NodeId node, JobNumber job, base::Instant now, Effects* effects);

  // ---- programs
  // The record of the job that Submit would add next; to be written to the journal before Submit.
  Record Submitting(const v1::SubmitJob& submit) const;
  // Adds a job, and returns its number. The job is placed, waits, or ends at once. `secret`: the job's own.
  JobNumber Submit(const v1::SubmitJob& submit, const std::string& secret, base::Instant now, Effects* effects);
  void ProgramListens(JobNumber job, const v1::ProgramListens& message, Effects* effects);
  void EndGroup(JobNumber job, const v1::EndGroup& end, Effects* effects);
  // The program wants its job to end, and gives its processes `grace` to end by themselves.
  void Finish(JobNumber job, absl::Duration grace, base::Instant now, Effects* effects);
  // The program's connection ended: the job's processes end at once, and the program is told nothing.
  void ProgramGone(JobNumber job, base::Instant now, Effects* effects);
  // ProgramGone for a program that a node does not find. The program is told, in case it still runs.
  void ProgramNotFound(NodeId node, JobNumber job, base::Instant now, Effects* effects);
  // Ends a job for a command. NotFound: there is no such job.
  absl::Status Stop(JobNumber job, const std::string& why, base::Instant now, Effects* effects);

  // ---- names
  // Adds a component of the job. InvalidArgument, AlreadyExists: as ComponentTable::Add. Cancelled: the job has ended.
  absl::StatusOr<v1::AddComponentReply> AddComponent(JobNumber job, v1::Component component, Effects* effects);
  // Removes a component. NotFound: there is none. PermissionDenied: it is another job's.
  absl::Status RemoveComponent(JobNumber caller, uint64_t id, Effects* effects);
  // Finds a component by its name. The job `caller` is told of the ends of the component's processes from now on.
  // NotFound: there is none.
  absl::StatusOr<v1::FoundComponent> FindComponent(JobNumber caller, const std::string& name);
  v1::Components ComponentsOf(JobNumber job) const { return components_.Of(job); }
  // Where a process listens, and the ticket that it wants to see from another job. The job `caller` is told of losses
  // in that process's job from now on. NotFound: there is no such process; Unavailable: it is gone; PermissionDenied:
  // neither job has found a component of the other, and no third job has found components of both.
  absl::StatusOr<v1::MetProcess> Meet(JobNumber caller, uint64_t process);
  // The component's own rendezvous address, HOST:PORT on the host of its group's first process. NotFound: there is no
  // such component. PermissionDenied: it is another job's.
  absl::StatusOr<std::string> Rendezvous(JobNumber caller, uint64_t component);

  // The processes of a job, and the ticket with which a command may ask them. NotFound: there is no such job.
  absl::StatusOr<v1::JobVisit> Visit(JobNumber job) const;

  // ---- time and status
  void Tick(base::Instant now, Effects* effects);
  // When Tick must be called next; nothing: no deadline is set.
  std::optional<base::Instant> NextTick() const;
  v1::ClusterStatus Status(base::Instant now) const;
  // The job with this secret; 0: there is none.
  JobNumber JobOfSecret(const std::string& secret) const;

 private:
  enum class JobState { kWaiting, kStarting, kRunning, kEnding };
  struct Node {
    v1::NodeDescription description;
    base::Instant joined;
    base::Instant heard;    // when its last message arrived; awake
    std::deque<int> ports;  // free ports, for rendezvous addresses
    FreeNode free;
  };
  // A node that is gone and may come back.
  struct Departed {
    FreeNode whole;
    base::Instant until;  // awake
  };
  struct ProcessState {
    v1::Process process;
    NodeId node = 0;
    std::string device_type;
    int slots = 0;
    bool gone = false;
    bool given_back = false;  // its lease has ended
    std::string cause;
  };
  struct Job {
    v1::SubmitJob submit;
    std::string secret;
    JobState state = JobState::kWaiting;
    std::string reason;                             // why the job waits, or ends
    absl::StatusCode code = absl::StatusCode::kOk;  // with which the job ends
    base::Instant submitted;
    base::Instant place_by = base::kForever;    // while it waits; awake
    base::Instant cleared_by = base::kForever;  // while it ends; awake
    std::optional<v1::Endpoint> endpoint;       // the program's
    bool program_gone = false;
    std::map<uint64_t, ProcessState> processes;         // by id
    std::set<uint64_t> starting;                        // processes that do not listen yet and are not gone
    std::set<NodeId> nodes;                             // that have not cleared the job yet
    std::map<std::string, std::string> aborted_groups;  // with their causes
    std::set<JobNumber> guests;  // live jobs that found a component of this job, or met a process of it
  };
  struct EndedJob {
    JobNumber number = 0;
    std::string name;
    v1::Place program;
    absl::StatusCode code = absl::StatusCode::kOk;
    std::string reason;
    std::map<std::string, std::string> aborted_groups;
    base::Instant submitted;
    base::Instant ended;
  };

  // cluster_nodes.cc
  static FreeNode CapacityOf(NodeId id, const v1::NodeDescription& description);
  const Node* NodeNamed(const std::string& name, NodeId* id) const;
  absl::Duration SilenceOf(const Node& node) const;
  void EndSilentNodes(Effects* effects);
  void ForgetDeparted(Effects* effects);
  // cluster_state.cc
  static const char* StateName(JobState state);
  void Enter(JobNumber number, Job& job, JobState state);
  void Observe(base::Instant now);
  static base::Instant DeadlineOf(const Job& job);
  void TryWaiting(Effects* effects);
  void TryPlace(JobNumber number, Job& job, Effects* effects);
  absl::StatusOr<PlacedGroups> PlaceOn(const Job& job, const std::vector<FreeNode>& nodes) const;
  absl::Status CanEverFit(const Job& job) const;
  void EndHopeless(Effects* effects);
  void EndWaiting(JobNumber number, const absl::Status& why, Effects* effects);
  void AddProcesses(JobNumber number, Job& job, const PlacedGroups& placed);
  void BeginLease(ProcessState& process);
  void EndLease(ProcessState& process, absl::FunctionRef<bool(int device)> held);
  void GiveBack(const Job& job, ProcessState& process);
  void GiveBackAll(Job& job);
  // job_start.cc
  void SendPlaced(JobNumber number, const Job& job, Effects* effects);
  void StartOnNodes(JobNumber number, Job& job, Effects* effects);
  std::string NewAddress(const Job& job, const std::string& group);
  static v1::Process ProgramOf(JobNumber number, const Job& job);
  void StartedIfAll(JobNumber number, Job& job, Effects* effects);
  bool SpansMachines(const Job& job) const;
  // job_end.cc
  void LoseProcess(JobNumber number, uint64_t process, const std::string& cause, Effects* effects);
  struct GroupEnd {
    uint64_t first = 0;      // the process that was lost first; 0: none is lost yet
    bool asked_for = false;  // by the job itself: no failure
    std::string cause;
  };
  void LoseGroup(JobNumber number, Job& job, const std::string& group, const GroupEnd& end, Effects* effects);
  void Tell(const std::set<JobNumber>& programs, std::set<NodeId> nodes, const v1::PeersLost& lost, Effects* effects);
  void TellOfEnd(JobNumber number, const Job& job, uint64_t process, const std::string& cause, Effects* effects);
  void BeginEnd(JobNumber number, Job& job, absl::StatusCode code, const std::string& why, absl::Duration grace,
                Effects* effects);
  void EndIfCleared(JobNumber number, Effects* effects);
  void End(JobNumber number, Effects* effects);
  void ForgetGuest(JobNumber number);
  void Keep(JobNumber number, const Job& job);
  // cluster_names.cc
  void ForgetComponent(uint64_t id, Effects* effects);
  absl::Status CheckOwn(JobNumber caller, uint64_t component) const;
  bool Acquainted(JobNumber a, JobNumber b) const;

  const ClusterOptions options_;
  const base::Instant began_;
  base::Instant now_;  // time of the event under way
  base::AwakeClock clock_;
  base::Instant judges_from_;  // until then nodes of an earlier driver may come, and no waiting job is ended; awake
  NodeId next_node_;
  JobNumber next_job_;
  std::map<NodeId, Node> nodes_;
  std::map<std::string, Departed> departed_;  // by name
  std::map<JobNumber, Job> jobs_;
  std::deque<EndedJob> ended_jobs_;  // the latest is last
  ComponentTable components_;
  std::map<uint64_t, std::string> rendezvous_;  // addresses, by component
};

}  // namespace twinkle::driver
