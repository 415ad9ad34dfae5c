// The conductor stands between the driver's connections and its state: it applies events to ClusterState, writes the
// journal, and sends the messages that follow.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/cluster_state.h"
#include "driver/journal.h"
#include "runtime/base/executor.h"

namespace twinkle::driver {

// The driver's end of a connection. Both functions never block. `finish` ends the connection after what was written
// before; later writes are dropped.
template <class Message>
struct Outlet {
  std::function<void(Message)> write;
  std::function<void(const absl::Status&)> finish;
};
using NodeOutlet = Outlet<v1::DriverToNode>;
using ProgramOutlet = Outlet<v1::DriverToProgram>;

struct ConductorOptions {
  ClusterOptions cluster = {};
  std::function<int64_t()> unix_ms = [] { return int64_t{0}; };      // wall time for the journal, which people read
  std::function<void(const std::string&)> say = [](const auto&) {};  // writes a line to the driver's log
  std::function<std::string()> new_secret;                           // makes the secret of a job
};

// Applies what arrives to the cluster's state. Confined to the driver's queue. `arrived`: when the message or
// connection of the call arrived. Invariants:
//  CO1 the number of a node, job or component is in the journal before anybody hears of it, so that it is never given
//      twice;
//  CO2 while the journal cannot be written no number is given: whoever wants one is told why, and what runs goes on;
//  CO3 all other records are written as soon as the journal takes them again; messages do not wait for that.
class Conductor {
 public:
  // `executor` and `queue` must outlive the conductor.
  Conductor(ConductorOptions options, const base::Executor* executor, base::TaskQueue* queue,
            std::unique_ptr<Journal> journal, const Restored& restored);

  // ---- nodes
  // A node joins. Its outlet is written to until `finish`. Errors as ClusterState::CheckJoin and Journal::Append.
  absl::StatusOr<NodeId> Join(const v1::NodeDescription& description, NodeOutlet outlet, base::Instant arrived);
  // A message of a node.
  void OnNode(NodeId node, const v1::NodeToDriver& message, base::Instant arrived);
  // The connection of a node has ended.
  void NodeEnded(NodeId node, base::Instant arrived);

  // ---- programs
  // A program submits a job. Returns the job's number; 0: the program was told that its job has ended, and why.
  JobNumber Submit(const v1::SubmitJob& submit, ProgramOutlet outlet, base::Instant arrived);
  // A message of a program.
  void OnProgram(JobNumber job, const v1::ProgramToDriver& message, base::Instant arrived);
  // The connection of a program has ended.
  void ProgramEnded(JobNumber job, base::Instant arrived);
  // Ends a job for a command. NotFound: there is no such job.
  absl::Status StopJob(JobNumber job, base::Instant arrived);

  // ---- names
  // Errors as those of ClusterState and Journal::Append.
  absl::StatusOr<v1::AddComponentReply> AddComponent(JobNumber job, const v1::Component& component);
  absl::Status RemoveComponent(JobNumber job, uint64_t component);

  // The state, for questions without effects.
  ClusterState& state() { return state_; }
  v1::ClusterStatus Status(base::Instant now) const;

  // Ends all connections. May be called on any thread once the queue is closed; nothing else may be called afterwards.
  void Stop(const absl::Status& why);

 private:
  // Writes the records among the effects, sends the messages, and sets the next alarm.
  void Carry(Effects effects);
  void Deliver(Effects effects);
  void EndLostNodes(const std::vector<Record>& records);
  // Writes the record of a number before the number is given.
  absl::Status Promise(const Record& record);
  // Writes records now, or as soon as the journal takes them.
  void Remember(const std::vector<Record>& records);
  absl::Status Write(const std::vector<Record>& records);
  void Say(const Record& record) const;
  void SetAlarm();

  const ConductorOptions options_;
  const base::Executor* const executor_;
  base::TaskQueue* const queue_;
  const std::unique_ptr<Journal> journal_;
  ClusterState state_;
  std::map<NodeId, NodeOutlet> nodes_;
  std::map<JobNumber, ProgramOutlet> programs_;
  std::deque<Record> unwritten_;          // records that the journal did not take yet
  absl::Status failure_;                  // of the journal's last Append
  base::Instant alarm_ = base::kForever;  // when the earliest posted Tick runs
};

}  // namespace twinkle::driver
