// The node daemon: carries out what its state machine decides, and tells it what happens.
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
  uint64_t object_memory = 0;  // for the objects of a worker process; 0: its share of half the machine's memory
  DriverAccess access;         // for programs that worker processes start
  absl::Duration look_interval = absl::Seconds(1);  // between looks at whether processes are stopped
};

// Confined to the loop's thread. Never blocks: what may hang is the program store's, the log files' and the spawner's.
// Decides nothing: that is NodeState's, whose effects are carried out here in their order, one event at a time.
class NodeDaemon final : public Processes::Listener {
 public:
  struct Events {
    std::function<void(v1::NodeToDriver)> to_driver;
    std::function<void(const std::string&)> say;  // for people
    std::function<void()> end_orphans;      // the spawner is gone: what it had started is to end, a moment at most
    std::function<void()> on_spawner_gone;  // after its processes' ends were told
  };

  // All that is pointed to outlives the daemon, which outlives what the loop still runs.
  NodeDaemon(DaemonOptions options, Spawner spawner, base::FdLoop* loop, OutputStore* output, ProgramStore* store,
             SideThreads* threads, Events events);

  void OnMessage(const v1::DriverToNode& message);
  // The driver is gone, or this daemon is to end: all jobs end.
  void EndAllJobs();
  // The folder goes with the daemon, however that ends, unless it has gone before.
  void KeepScratch(const std::string& folder) { processes_.KeepScratch(folder); }
  void ForgetScratch(const std::string& folder) { processes_.ForgetScratch(folder); }
  // What a spawner that is gone had started has ended, to the last.
  void OnOrphansEnded();
  // Ends the spawner, and with it all that it started; blocks as Processes::EndSpawner, and returns what that returns.
  bool EndSpawner() { return processes_.EndSpawner(); }
  // After that, and where the spawner is gone: what processes that have ended so had printed is read, and their jobs'
  // output ends.
  void EndOutput();
  // As Processes::Leftovers.
  std::function<void()> Leftovers() const { return processes_.Leftovers(); }
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
