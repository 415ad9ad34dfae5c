// The node's state machine: what a node daemon decides about its jobs and their processes.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_limits.h"
#include "worker/node_effects.h"
#include "worker/stoppage.h"

namespace twinkle::worker {

// What the node is, and its limits.
struct NodeStateOptions {
  std::string node;               // name of the node, for texts
  std::string pids;               // the daemon's, as in v1::Place
  std::string driver;             // gRPC target of the driver, for worker processes
  std::string only_machine = {};  // as Place.machine: only programs of it run here; empty: of all machines
  absl::Duration start_limit = absl::Seconds(20);  // from a process's exec until it reaches Initialize
  absl::Duration bring_limit = absl::Minutes(5);   // for a job's program and files to be on this node
  absl::Duration stopped_limit = absl::Hours(1);   // how long a process may be stopped
  // Beyond the grace of a job that ends, before its processes are killed.
  absl::Duration kill_margin = base::kDaemonMargin;
};

// How a worker process ended.
struct Death {
  int wait_status = 0;                  // of waitpid
  bool out_of_memory = false;           // the kernel has just killed some process because memory ran out
  std::vector<std::string> last_lines;  // of its output
};

// The state of a node's jobs and processes. A deterministic state machine without descriptors, clock or threads: each
// event changes the state and appends to `effects` what is to be done, and nothing is done here. Events about unknown
// jobs and processes, or those that have ended, change nothing. For one thread at a time. Invariants:
//  NS1 each process that the driver asked for is reported once more: that it has ended, or that it could not be
//      started;
//  NS2 a job that was to stop is reported as cleared once, when none of its processes is left, nor anything that one of
//      them had started; each process of a job that goes on is reported as cleared likewise. The report that a process
//      has ended waits for neither;
//  NS3 each process that was started is closed once, when it has ended; each job is dropped once, after its last
//      process;
//  NS4 a driver hears nothing of jobs that were asked for over another connection: they end with that connection;
//  NS5 every wait has a timer: for the program, for Initialize, for the end of a job's grace. No timer concerns a job
//      of another connection that has the same number;
//  NS6 no text of a user makes a message longer than a few kilobytes;
//  NS7 with `only_machine`, nothing is brought or started for a program of another machine: its processes are reported
//      as not started, with the reason;
//  NS8 a process that is stopped (Stoppage) is announced once as stopped and once as going on. One that stays stopped
//      beyond the limit is killed, with that cause. While a process is stopped its wait for Initialize does not end;
//  NS9 a process that has closed its role's socket and goes on is no rank any more: it is killed, with that cause.
class NodeState {
 public:
  explicit NodeState(NodeStateOptions options) : options_(std::move(options)) {}

  // ---- the driver
  void OnMessage(const v1::DriverToNode& message, Effects* effects);
  // The connection to the driver has ended: its jobs end. Later messages belong to the next connection.
  void OnDriverGone(Effects* effects);

  // ---- a job's program
  // `brought`: OK, or why the job cannot have its program here.
  void OnProgramReady(uint64_t job, const absl::Status& brought, Effects* effects);
  void OnProgramGone(uint64_t job, Effects* effects);

  // ---- processes
  void OnStarted(uint64_t process, int pid, Effects* effects);
  void OnNotStarted(uint64_t process, const std::string& why, Effects* effects);
  // The process has sent a message over its role's socket.
  void OnSaid(uint64_t process, const v1::FromWorker& message, Effects* effects);
  // The process has closed its role's socket, and still runs.
  void OnLeft(uint64_t process, Effects* effects);
  void OnEnded(uint64_t process, const Death& death, Effects* effects);
  // Nothing is left of what an ended process had started. Not called for processes that did not start.
  void OnCleared(uint64_t process, Effects* effects);
  // OnCleared for all processes that have ended.
  void OnAllCleared(Effects* effects);
  // A look at a running process has found `glance`, at the time awake `awake`.
  void OnGlance(uint64_t process, const Glance& glance, base::Instant awake, Effects* effects);
  // The spawner is gone: all processes have ended, and no more can be started. Answered by OnAllCleared.
  void OnSpawnerGone(const std::string& why, Effects* effects);

  void OnTimer(const SetTimer& timer, Effects* effects);

  // Whether no job is left.
  bool idle() const { return jobs_.empty(); }
  // Facts for carrying out StartProcess. Null: the process or job is not known any more.
  const v1::Process* FindProcess(uint64_t process) const;
  const v1::StartJob* FindJob(uint64_t job) const;
  const v1::StartJob* JobOf(uint64_t process) const;
  // All running processes with their pids.
  std::vector<std::pair<uint64_t, int>> Running() const;

 private:
  enum class JobState { kBringing, kRunning, kStopping };
  enum class ProcessState {
    kWaiting,   // for the job's program to be on this node
    kStarting,  // StartProcess was asked for
    kRunning,   // the program runs, and has not reached Initialize
    kListening  // the program has reached Initialize
  };
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    ProcessState state = ProcessState::kWaiting;
    std::optional<v1::Endpoint> endpoint = {};  // where it listens; it may say so before OnStarted
    bool missed_start_limit = false;            // it did not reach Initialize in time
    bool signalled = false;                     // killed by this daemon
    bool outlasted_grace = false;               // it still ran when the grace of its job's end was over
    bool outlasted_stopped_limit = false;       // it was stopped for longer than the limit
    bool left_job = false;                      // it has closed its role's socket without ending
    Stoppage stoppage = {};
  };
  struct Job {
    v1::StartJob start;
    JobState state = JobState::kBringing;
    uint64_t connection = 0;
    std::set<uint64_t> processes;
    size_t leaving = 0;  // processes that have ended, and are not cleared yet
  };
  using Jobs = std::map<uint64_t, Job>;
  using Processes = std::map<uint64_t, Process>;

  // Changes a job's state; nothing else does. `why` goes to the log.
  void Enter(Jobs::iterator job, JobState state, const std::string& why, Effects* effects);
  void OnStart(const v1::StartJob& start, Effects* effects);
  // PermissionDenied: programs of that place do not run here; the message says why.
  absl::Status Admit(const v1::Place& program) const;
  void OnStop(const v1::StopJob& stop, Effects* effects);
  void Stop(uint64_t job, absl::Duration grace, const std::string& why, Effects* effects);
  // Kills a process. One that is still kWaiting ends at once.
  void Kill(Processes::iterator process, Effects* effects);
  // Writes to the daemon's log and to the process's output.
  void TellPeople(uint64_t id, const Process& process, const std::string& what, Effects* effects) const;
  // The text for a process that is stopped.
  std::string StoppedText(const Process& process) const;
  // Sends a message to all processes of a job; `job` 0: of all jobs.
  void ToAll(uint64_t job, const v1::ToWorker& message, Effects* effects) const;
  // Reports to the driver where the process listens.
  void TellListens(Process& process, Effects* effects);
  std::string CauseOf(const Process& process, const Death& death) const;
  // The reason for which this daemon has killed the process; empty: it has another cause.
  std::string WhyKilled(const Process& process) const;
  // Reports the end of a process, and removes it.
  void End(uint64_t process, const std::string& cause, const std::vector<std::string>& last_lines, Effects* effects);
  // Ends a stopping job of which nothing is left.
  void ClearIfDone(uint64_t job, Effects* effects);
  // Reports to the driver that asked for the job, if its connection still exists.
  void TellDriver(const Job& job, v1::NodeToDriver message, Effects* effects) const;

  const NodeStateOptions options_;
  uint64_t connection_ = 1;                  // counts the connections to drivers
  std::optional<std::string> spawner_gone_;  // the reason, once the spawner is gone
  Jobs jobs_;
  Processes processes_;
  std::map<uint64_t, uint64_t> leaving_;  // processes that have ended, and are not cleared yet, with their jobs
};

}  // namespace twinkle::worker
