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
#include "runtime/base/awake_clock.h"
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
// Records tell what has happened; the messages are what others hear of it.
using Effects = std::vector<std::variant<ToNode, ToProgram, Record>>;

struct ClusterOptions {
  std::string version = {};
  // How long a job's nodes may take to clear it, after the grace that its program gave.
  absl::Duration clearing_limit = absl::Seconds(10);
  // How long a node may be silent until it counts as gone; infinite where its end is seen directly.
  absl::Duration node_lease = absl::Seconds(20);
  // How long a node that was there counts as coming back, when it is asked whether a job can ever fit.
  absl::Duration return_grace = absl::Seconds(30);
  size_t ended_jobs_kept = 100;  // for those who ask how they ended
};

// A job's process ids are its number above these bits: 0 below them is the program, then come its workers.
using rpc::kProcessBits;

// Invariants:
//  D1 a job has all of its processes placed, or none;
//  D2 a device or slot is leased to one job at most, until its process has been cleared, with all that it had started,
//     and its group has ended; or every node that had processes of the job has cleared it, is gone, or has not
//     answered within the clearing limit;
//  D3 a group of which one process is gone is ended: its other processes are told to end, and every process that may
//     wait for one of them hears of all, the first cause first, once;
//  D4 each program that submitted hears JobEnded once, last;
//  D5 silence, and the time that others take, count only while the driver was awake (base::AwakeClock): after a pause
//  of
//     its own every lease begins anew.
// The order of events is their time: `now` is when an event arrived. Not thread-safe.
class ClusterState {
 public:
  // `restored`: what an earlier driver of this cluster has kept.
  ClusterState(ClusterOptions options, base::Instant now, const Restored& restored = {});

  // ---- nodes
  // InvalidArgument: its words about itself are not believed (bounds.h). AlreadyExists: another daemon of that name is
  // there; of the same process, which has connected anew, it is not.
  absl::Status CheckJoin(const v1::NodeDescription& description) const;
  // What NodeJoined promises with the next number; it is to be kept before.
  Record Joining(const v1::NodeDescription& description) const;
  // Of one that CheckJoin lets in.
  NodeId NodeJoined(const v1::NodeDescription& description, base::Instant now, Effects* effects);
  bool HasNode(NodeId node) const { return nodes_.count(node) != 0; }
  // Something came from it.
  void NodeAlive(NodeId node, base::Instant now);
  // TCP ports that were free there just now.
  void NodeHasPorts(NodeId node, const google::protobuf::RepeatedField<int>& ports);
  void NodeGone(NodeId node, const std::string& why, base::Instant now, Effects* effects);
  // The same of one whose connection ended: its daemon did, or nothing came over it any more.
  void NodeDisconnected(NodeId node, base::Instant now, Effects* effects);
  void ProcessListens(NodeId node, const v1::ProcessListens& message, Effects* effects);
  void ProcessExited(NodeId node, const v1::ProcessExited& message, base::Instant now, Effects* effects);
  void ProcessCleared(NodeId node, JobNumber job, uint64_t process, base::Instant now, Effects* effects);
  void JobCleared(NodeId node, JobNumber job, base::Instant now, Effects* effects);

  // ---- programs
  // What Submit promises with the next number; it is to be kept before.
  Record Submitting(const v1::SubmitJob& submit) const;
  // `secret` is the job's. The job is placed, waits, or ends at once.
  JobNumber Submit(const v1::SubmitJob& submit, const std::string& secret, base::Instant now, Effects* effects);
  void ProgramListens(JobNumber job, const v1::ProgramListens& message, Effects* effects);
  // The group cannot go on, says the program, or one of its processes.
  void EndGroup(JobNumber job, const v1::EndGroup& end, Effects* effects);
  void Finish(JobNumber job, absl::Duration grace, base::Instant now, Effects* effects);
  // Its connection ended: the job's processes end at once, and nobody is told.
  void ProgramGone(JobNumber job, base::Instant now, Effects* effects);
  // A node does not find it. The same; it is told, in case it is there.
  void ProgramNotFound(NodeId node, JobNumber job, base::Instant now, Effects* effects);
  // NotFound.
  absl::Status Stop(JobNumber job, const std::string& why, base::Instant now, Effects* effects);

  // ---- names
  // InvalidArgument, AlreadyExists: see ComponentTable. Cancelled: the job has ended.
  absl::StatusOr<v1::AddComponentReply> AddComponent(JobNumber job, v1::Component component, Effects* effects);
  // NotFound. PermissionDenied: it is another job's.
  absl::Status RemoveComponent(JobNumber caller, uint64_t id, Effects* effects);
  // NotFound. `caller`: the job that asks; it hears of the processes' ends from now on.
  absl::StatusOr<v1::FoundComponent> FindComponent(JobNumber caller, const std::string& name);
  v1::Components ComponentsOf(JobNumber job) const { return components_.Of(job); }
  // Where a process is, and what it is to be shown if it is another job's; the caller hears of that job's ends from now
  // on.
  // NotFound; Unavailable: it is gone; PermissionDenied: none of the two jobs has found a component of the other, nor
  // has any job of both.
  absl::StatusOr<v1::MetProcess> Meet(JobNumber caller, uint64_t process);
  // NotFound. PermissionDenied: it is another job's. The component's own address, HOST:PORT on the host of its group's
  // first process.
  absl::StatusOr<std::string> Rendezvous(JobNumber caller, uint64_t component);

  // For a command that asks the job's processes. NotFound.
  absl::StatusOr<v1::JobVisit> Visit(JobNumber job) const;

  // ---- time and words
  // Deadlines that have passed.
  void Tick(base::Instant now, Effects* effects);
  // When Tick wants to be called next.
  std::optional<base::Instant> NextTick() const;
  v1::ClusterStatus Status(base::Instant now) const;
  // The job that a secret belongs to, for whoever shows it; 0: none.
  JobNumber JobOfSecret(const std::string& secret) const;

 private:
  enum class JobState { kWaiting, kStarting, kRunning, kEnding };
  struct Node {
    v1::NodeDescription description;
    base::Instant joined;
    base::Instant heard;    // of it, last; awake
    std::deque<int> ports;  // that were free, for rendezvous
    FreeNode free;
  };
  struct Departed {  // a node that may come back
    FreeNode whole;
    base::Instant until;  // awake
  };
  struct ProcessState {
    v1::Process process;
    NodeId node = 0;
    std::string device_type;
    int slots = 0;
    bool gone = false;
    bool given_back = false;  // what it had leased
    std::string cause;
  };
  struct Job {
    v1::SubmitJob submit;
    std::string secret;
    JobState state = JobState::kWaiting;
    std::string reason;                             // what it waits for, or why it ends
    absl::StatusCode code = absl::StatusCode::kOk;  // with which it ends
    base::Instant submitted;
    base::Instant deadline = base::kForever;  // of waiting, or of clearing; awake
    std::optional<v1::Endpoint> endpoint;     // the program's
    bool program_gone = false;
    std::map<uint64_t, ProcessState> processes;         // by id
    std::set<uint64_t> starting;                        // those that neither listen yet nor are gone
    std::set<NodeId> nodes;                             // not yet cleared
    std::map<std::string, std::string> aborted_groups;  // and why
    std::set<JobNumber> guests;                         // live jobs that found a component, or met a process, of it
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

  static const char* StateName(JobState state);
  void Enter(JobNumber number, Job& job, JobState state);
  void Observe(base::Instant now);
  // Nodes.
  static FreeNode Whole(NodeId id, const v1::NodeDescription& description);
  const Node* NodeNamed(const std::string& name, NodeId* id) const;
  absl::Duration SilenceOf(const Node& node) const;
  void EndSilentNodes(Effects* effects);
  void ForgetDeparted(Effects* effects);
  // Placing.
  void TryWaiting(Effects* effects);
  bool TryPlace(JobNumber number, Job& job, Effects* effects);
  absl::StatusOr<PlacedGroups> PlaceOn(const Job& job, const std::vector<FreeNode>& nodes) const;
  absl::Status CanEverFit(const Job& job) const;
  void EndHopeless(Effects* effects);
  void EndWaiting(JobNumber number, const absl::Status& why, Effects* effects);
  void Lease(JobNumber number, Job& job, const PlacedGroups& placed);
  void GiveBack(const Job& job, ProcessState& process);
  void GiveBackAll(Job& job);
  void FreeSlots(const ProcessState& process);
  void FreeDevice(const ProcessState& process, int device);
  // Starting.
  void SendPlaced(JobNumber number, const Job& job, Effects* effects);
  void StartOnNodes(JobNumber number, Job& job, Effects* effects);
  std::string NewAddress(const Job& job, const std::string& group);
  static v1::Process ProgramOf(JobNumber number, const Job& job);
  void StartedIfAll(JobNumber number, Job& job, Effects* effects);
  bool SpansMachines(const Job& job) const;
  // Ending.
  void LoseProcess(JobNumber number, uint64_t process, const std::string& cause, Effects* effects);
  struct GroupEnd {
    uint64_t first = 0;      // the process that is gone; 0: none is, yet
    bool asked_for = false;  // no failure
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
  void ForgetComponent(uint64_t id, Effects* effects);
  absl::Status CheckOwn(JobNumber caller, uint64_t component) const;
  bool Acquainted(JobNumber a, JobNumber b) const;

  const ClusterOptions options_;
  const base::Instant began_;
  base::Instant now_;  // of the event under way
  base::AwakeClock clock_;
  base::Instant judges_from_;  // whether a job can ever fit: an earlier driver's nodes may be on their way; awake
  NodeId next_node_;
  JobNumber next_job_;
  std::map<NodeId, Node> nodes_;
  std::map<std::string, Departed> departed_;  // by name
  std::map<JobNumber, Job> jobs_;
  std::deque<EndedJob> ended_jobs_;  // the last one last
  ComponentTable components_;
  std::map<uint64_t, std::string> rendezvous_;
};

}  // namespace twinkle::driver
