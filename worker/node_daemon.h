// The node daemon: carries out what its state machine (NodeState) decides, and reports events to it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/fd_loop.h"
#include "worker/awake_timers.h"
#include "worker/cause_of_death.h"
#include "worker/environment.h"
#include "worker/looks.h"
#include "worker/node_state.h"
#include "worker/output_store.h"
#include "worker/processes.h"
#include "worker/program_store.h"
#include "worker/rank_link.h"
#include "worker/side_threads.h"

namespace twinkle::worker {

struct DaemonOptions {
  v1::NodeDescription node;
  NodeStateOptions state;
  uint64_t object_memory = 0;  // bytes for the objects of a worker process; 0: its share of half the machine's memory
  DriverAccess access;         // for programs that worker processes start
  absl::Duration look_interval = absl::Seconds(1);  // between looks at whether processes are stopped
};

// The node daemon. Confined to the loop's thread. Never blocks: what may hang is done by the program store, the log
// files and the spawner. Decides nothing: NodeState decides, and its effects are carried out here in their order, one
// event at a time.
class NodeDaemon final : public Processes::Listener {
 public:
  // Called on the loop.
  struct Events {
    // Sends a message to the driver.
    std::function<void(v1::NodeToDriver)> to_driver;
    std::function<void(const std::string&)> say;  // a line for the daemon's log
    std::function<void()> end_orphans;  // the spawner is gone: ends what it had started; blocks for a moment at most
    std::function<void()> on_spawner_gone;  // after the ends of all its processes were reported
  };

  // Everything that is pointed to must outlive the daemon, and the daemon must outlive the tasks on the loop.
  NodeDaemon(DaemonOptions options, Spawner spawner, base::FdLoop* loop, OutputStore* output, ProgramStore* store,
             SideThreads* threads, Events events);

  // A message of the driver has arrived.
  void OnMessage(const v1::DriverToNode& message);
  // Ends all jobs: the driver is gone, or this daemon is to end.
  void EndAllJobs();
  // Registers a folder that is removed when the daemon ends, however it ends. ForgetScratch: the folder was removed.
  void KeepScratch(const std::string& folder) { processes_.KeepScratch(folder); }
  void ForgetScratch(const std::string& folder) { processes_.ForgetScratch(folder); }
  // All processes that a lost spawner had started have ended.
  void OnOrphansEnded();
  // Ends the spawner and everything that it started. Blocks, and returns, as Processes::EndSpawner.
  bool EndSpawner() { return processes_.EndSpawner(); }
  // Reads what ended processes had printed, and ends the output of all jobs. Called after EndSpawner, or when the
  // spawner is gone.
  void EndOutput();
  // See Processes::Leftovers.
  std::function<void()> Leftovers() const { return processes_.Leftovers(); }
  // Whether no job is left.
  bool idle() const { return state_.idle(); }

 private:
  struct Rank {
    std::unique_ptr<RankLink> link;
    int pid = 0;
  };
  template <class Event>
  void Handle(Event event);
  void Do(const Effect& effect);
  void Do(const ToProcess& effect);
  void Do(const BringProgram& effect);
  void Do(const WatchProgram& effect);
  void Do(const StartProcess& effect);
  void Do(const CloseProcess& effect);
  void Do(const DropJob& effect);
  void Do(const SetTimer& effect);
  void Do(const Note& effect);
  absl::StatusOr<Launch> LaunchOf(uint64_t process);
  void OnProgram(uint64_t job, absl::StatusOr<Brought> brought);
  void StopWatching(uint64_t job);
  void OnRoleClosed(uint64_t process);
  void DrainAll() const;

  void OnStarted(uint64_t process, pid_t pid) override;
  void OnNotStarted(uint64_t process, const std::string& why) override;
  void OnEnded(uint64_t process, int status) override;
  void OnCleared(uint64_t process) override;
  void OnSpawnerGone() override;

  const DaemonOptions options_;
  base::FdLoop& loop_;
  OutputStore& output_;
  ProgramStore& store_;
  const Events events_;
  NodeState state_;
  AwakeTimers timers_;
  Processes processes_;
  Looks looks_;
  OomWatch out_of_memory_;
  std::deque<Effect> effects_;  // to be carried out
  bool carrying_out_ = false;
  std::map<uint64_t, Rank> ranks_;        // of processes that were launched
  std::map<uint64_t, Brought> programs_;  // by job
  std::map<uint64_t, base::Fd> watched_;  // pidfds of programs, by job
};

}  // namespace twinkle::worker
