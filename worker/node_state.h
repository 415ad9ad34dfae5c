// What a node daemon decides: its jobs and their processes, from what the driver asks for to the last one's end.
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

struct NodeStateOptions {
  std::string node;                                  // its name, for people
  std::string pids;                                  // as in Place, the daemon's
  std::string driver;                                // gRPC target, for worker processes
  std::string only_machine = {};                     // as in Place: whose programs alone run here; empty: all machines'
  absl::Duration start_limit = absl::Seconds(20);    // for a process, once it is the program, to reach Initialize
  absl::Duration bring_limit = absl::Minutes(5);     // for the program and its files to be here
  absl::Duration stopped_limit = absl::Hours(1);     // for a process that is stopped to go on
  absl::Duration kill_margin = base::kDaemonMargin;  // beyond the grace of a job that ends
};

// How a process ended.
struct Death {
  int wait_status = 0;         // as waitpid gives it
  bool out_of_memory = false;  // the kernel has just killed a process for want of memory
  std::vector<std::string> last_lines;
};

// A deterministic state machine: no descriptors, no clock, no threads. An event changes the state and appends what is
// to be done; nothing is done here. Events about what is not known (any more) change nothing. Invariants:
//  W1 every process that the driver wanted is told of once more: when it has ended, or could not be started;
//  W2 a job that was to stop is told as cleared once, when none of its processes is left, nor anything that one of them
//     had started; the same is told of each process of a job that goes on. The verdict on a process waits for neither;
//  W3 each process that was started is closed once, when it has ended, and each job is dropped once, after its last;
//  W4 a driver hears nothing of jobs that another connection's driver asked for: they end with that connection;
//  W5 every wait has a timer: for the program, for Initialize, for the end of a job's grace; none concerns a job of
//     another connection that has the same number;
//  W6 no text of a user's makes a message longer than a few kilobytes;
//  W7 with `only_machine` nothing is brought or started for a program of another machine: its processes could not be
//     started, and why is what they are told of with;
//  W8 it is told once of a process that it is stopped (Stoppage), and once that it goes on. One that does not within
//     the limit is killed, and that is its cause. No wait for Initialize ends while it is stopped;
//  W9 a process that has closed the socket of its role and goes on is no rank any more: it is killed, and that is its
//     cause.
class NodeState {
 public:
  explicit NodeState(NodeStateOptions options) : options_(std::move(options)) {}

  // ---- the driver
  void OnMessage(const v1::DriverToNode& message, Effects* effects);
  // Its jobs end. What comes after belongs to the next connection.
  void OnDriverGone(Effects* effects);

  // ---- a job's program
  void OnProgramReady(uint64_t job, const absl::Status& brought, Effects* effects);
  void OnProgramGone(uint64_t job, Effects* effects);

  // ---- processes
  void OnStarted(uint64_t process, int pid, Effects* effects);
  void OnNotStarted(uint64_t process, const std::string& why, Effects* effects);
  void OnSaid(uint64_t process, const v1::FromWorker& message, Effects* effects);
  // It has closed its role's socket, and not ended.
  void OnLeft(uint64_t process, Effects* effects);
  void OnEnded(uint64_t process, const Death& death, Effects* effects);
  // Of one that has ended: nothing that it had started is left. One that did not start has started nothing.
  void OnCleared(uint64_t process, Effects* effects);
  void OnAllCleared(Effects* effects);
  // What a look at one that runs has seen, by the time awake.
  void OnGlance(uint64_t process, const Glance& glance, base::Instant awake, Effects* effects);
  // All processes have ended with the spawner, and no more can be started. Answered by OnAllCleared.
  void OnSpawnerGone(const std::string& why, Effects* effects);

  void OnTimer(const SetTimer& timer, Effects* effects);

  // Nothing is left to do.
  bool idle() const { return jobs_.empty(); }
  // For StartProcess; null: it is known no more.
  const v1::Process* FindProcess(uint64_t process) const;
  const v1::StartJob* FindJob(uint64_t job) const;
  const v1::StartJob* JobOf(uint64_t process) const;
  // The pids of all that run.
  std::vector<std::pair<uint64_t, int>> Running() const;

 private:
  enum class JobState { kBringing, kRunning, kStopping };
  enum class ProcessState {
    kWaiting,   // for the program
    kStarting,  // asked for
    kRunning,   // the program runs
    kListening  // it has reached Initialize
  };
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    ProcessState state = ProcessState::kWaiting;
    std::optional<v1::Endpoint> endpoint = {};  // of one that listens, or will once it is known as started
    bool late = false;                          // it did not reach Initialize in time
    bool signalled = false;                     // by this daemon
    bool overdue = false;                       // it outlasted the grace of its job's end
    bool stopped_out = false;                   // it was stopped for longer than the limit
    bool left = false;                          // it has left its job without ending
    Stoppage stoppage = {};
  };
  struct Job {
    v1::StartJob start;
    JobState state = JobState::kBringing;
    uint64_t connection = 0;
    std::set<uint64_t> processes;
    size_t leaving = 0;  // processes that have ended, and have not been cleared
  };
  using Jobs = std::map<uint64_t, Job>;
  using Processes = std::map<uint64_t, Process>;

  // The only one that changes a job's state; people are told why.
  void Enter(Jobs::iterator job, JobState state, const std::string& why, Effects* effects);
  void OnStart(const v1::StartJob& start, Effects* effects);
  // Whether programs from there run here, and why not.
  absl::Status Admit(const v1::Place& program) const;
  void OnStop(const v1::StopJob& stop, Effects* effects);
  void Stop(uint64_t job, absl::Duration grace, const std::string& why, Effects* effects);
  void Kill(Processes::iterator process, Effects* effects);
  // In the daemon's log, and to those who watch what the process prints.
  void TellPeople(uint64_t id, const Process& process, const std::string& what, Effects* effects) const;
  std::string Stopped(const Process& process) const;
  void ToAll(uint64_t job, const v1::ToWorker& message, Effects* effects) const;
  void TellListens(Process& process, Effects* effects);
  std::string CauseOf(const Process& process, const Death& death) const;
  // By this daemon; empty: for none of the reasons that are told.
  std::string WhyKilled(const Process& process) const;
  // The process is known no more.
  void End(uint64_t process, const std::string& cause, const std::vector<std::string>& last_lines, Effects* effects);
  void ClearIfDone(uint64_t job, Effects* effects);
  // To the driver that asked for the job, if it is still there.
  void Tell(const Job& job, v1::NodeToDriver message, Effects* effects) const;

  const NodeStateOptions options_;
  uint64_t connection_ = 1;
  std::optional<std::string> spawner_gone_;  // why
  Jobs jobs_;
  Processes processes_;
  std::map<uint64_t, uint64_t> leaving_;  // processes that have ended, and have not been cleared: their jobs
};

}  // namespace twinkle::worker
