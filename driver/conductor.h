// Between those who speak to the driver and its state: applies what arrives, keeps what must outlive the driver, passes
// on what others are to hear.
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

// The driver's end of a connection. Both never block; after `finish`, which lets go what was written before, nothing is
// written any more.
template <class Message>
struct Outlet {
  std::function<void(Message)> write;
  std::function<void(const absl::Status&)> finish;
};
using NodeOutlet = Outlet<v1::DriverToNode>;
using ProgramOutlet = Outlet<v1::DriverToProgram>;

struct ConductorOptions {
  ClusterOptions cluster = {};
  std::function<int64_t()> unix_ms = [] { return int64_t{0}; };      // for people, in the journal
  std::function<void(const std::string&)> say = [](const auto&) {};  // a line for people: who comes and goes
  std::function<std::string()> new_secret;                           // for a job
};

// Invariants:
//  K1 a number of a node, job or component is in the journal before anybody hears of it: it is never given twice;
//  K2 while the journal cannot be written no number is given: who wants one is told why, who runs is left alone;
//  K3 what else has happened is written as soon as the journal takes it again; its messages do not wait for that.
// Confined to the queue; `arrived` is when that came which makes it act.
class Conductor {
 public:
  // The executor and the queue outlive it.
  Conductor(ConductorOptions options, const base::Executor* executor, base::TaskQueue* queue,
            std::unique_ptr<Journal> journal, const Restored& restored);

  // ---- nodes
  // What it says before `finish` is for this node. Errors as ClusterState::CheckJoin and Journal::Append.
  absl::StatusOr<NodeId> Join(const v1::NodeDescription& description, NodeOutlet outlet, base::Instant arrived);
  void OnNode(NodeId node, const v1::NodeToDriver& message, base::Instant arrived);
  void NodeEnded(NodeId node, base::Instant arrived);

  // ---- programs
  // The job's number; 0: the program was told that its job has ended, and why.
  JobNumber Submit(const v1::SubmitJob& submit, ProgramOutlet outlet, base::Instant arrived);
  void OnProgram(JobNumber job, const v1::ProgramToDriver& message, base::Instant arrived);
  void ProgramEnded(JobNumber job, base::Instant arrived);
  // NotFound.
  absl::Status StopJob(JobNumber job, base::Instant arrived);

  // ---- names
  // Errors as ClusterState's and Journal::Append's.
  absl::StatusOr<v1::AddComponentReply> AddComponent(JobNumber job, const v1::Component& component);
  absl::Status RemoveComponent(JobNumber job, uint64_t component);

  // For questions, which have no effects.
  ClusterState& state() { return state_; }
  v1::ClusterStatus Status(base::Instant now) const;

  // Ends all connections. Nothing else may be called afterwards; on any thread, once the queue is closed.
  void Stop(const absl::Status& why);

 private:
  void Carry(Effects effects);
  void Deliver(Effects effects);
  void EndLostNodes(const std::vector<Record>& records);
  absl::Status Promise(const Record& record);
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
  std::deque<Record> unwritten_;
  absl::Status failure_;  // of the journal's last Append
  base::Instant alarm_ = base::kForever;
};

}  // namespace twinkle::driver
