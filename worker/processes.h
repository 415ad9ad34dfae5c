// The processes of a node, as the node daemon sees them: started and signalled through the spawner, without ever
// waiting for the spawner.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/fd_channel.h"
#include "worker/awake_timers.h"
#include "worker/spawner.h"

namespace twinkle::worker {

// What a process is started with. Its standard input is /dev/null.
struct Launch {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string directory;                 // working directory; empty: the spawner's
  uint64_t ignored_signals = 0;          // bit n - 1: signal n; all others have their default disposition
  uint64_t blocked_signals = 0;
  base::Fd executable;
  base::Fd role;  // becomes kRoleDescriptor of the process
  base::Fd output;
  base::Fd error;
};

struct ProcessesOptions {
  // The number of starts that may be under way at once. More would take the processors from one another, and from the
  // spawner. 0: four for each processor, at least 16.
  int window = 0;
  absl::Duration exec_limit = absl::Seconds(20);   // from the request to the spawner until the process is the program
  absl::Duration settle_limit = absl::Seconds(2);  // from the fork until the start counts as over, at the latest
  absl::Duration end_limit = absl::Seconds(10);    // for the spawner to end everything, before it is killed
};

// The processes that the spawner runs for this daemon. Confined to the loop's thread. Never blocks, except in
// EndSpawner. Invariants:
//  PS1 each start is answered once, by OnStarted or OnNotStarted. Each process that started ends once (OnEnded), and is
//      cleared once after that (OnCleared), when nothing that it had started is left;
//  PS2 no more than `window` starts are under way. A start is under way from its request until it settles or is over,
//      and for at most `settle_limit` once there is a process. The other starts are queued, and hold no descriptors. So
//      a thousand processes do not begin at once, each has the means to begin within its limit, and processes that hang
//      keep none from starting;
//  PS3 a process that does not become the program is reported within the limit, and delays no other. What the whole
//      machine has slept does not count (AwakeTimers);
//  PS4 nothing is reported after OnSpawnerGone.
class Processes {
 public:
  // Receives the events of processes, on the loop, never from within a function of Processes.
  class Listener {
   public:
    virtual ~Listener() = default;
    // The process is the program now. Its limit to reach Initialize counts from here.
    virtual void OnStarted(uint64_t key, pid_t pid) = 0;
    // There is no process, and there will be none. `why`: a sentence that names what was missing.
    virtual void OnNotStarted(uint64_t key, const std::string& why) = 0;
    // The process has ended. `status`: of waitpid.
    virtual void OnEnded(uint64_t key, int status) = 0;
    // Nothing is left of what an ended process had started.
    virtual void OnCleared(uint64_t key) = 0;
    // The spawner has ended. The listener is to call KillAll.
    virtual void OnSpawnerGone() = 0;
  };
  // Makes what a process is started with, when its turn has come. An error is the error of the start.
  using Make = std::function<absl::StatusOr<Launch>()>;

  // What is pointed to must outlive this object.
  Processes(ProcessesOptions options, Spawner spawner, base::FdLoop* loop, AwakeTimers* timers, Listener* listener);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // Queues the start of a process. `key`: the caller's name for it, unique among all starts.
  void Start(uint64_t key, Make make);
  // The process has begun its work: its start is over, and the next one may begin.
  void Settle(uint64_t key);
  // Sends a signal to a process and its process group. A start that is still queued is taken out by SIGKILL
  // (OnNotStarted), and ignores other signals. Nothing happens for an unknown key, or a process that has ended.
  void Signal(uint64_t key, int number);
  // Registers a folder that is removed when the daemon ends, however it ends. ForgetScratch: the folder was removed.
  void KeepScratch(const std::string& folder);
  void ForgetScratch(const std::string& folder);
  // Kills all process groups directly: for when the spawner cannot.
  void KillAll() const;
  // Ends the spawner, and with it everything that it started. Blocks until it has ended, at most `end_limit`. No event
  // follows. False: the spawner did not end in time, or was stopped (SIGSTOP), and was killed. What it had started then
  // belongs to this process, if that is a subreaper, and must be ended by the caller.
  bool EndSpawner();
  // A function that removes what a killed spawner leaves behind besides processes: control groups and scratch folders.
  // To be called when these processes have ended. May run on any thread, even after this object is destroyed; blocks as
  // storage does.
  std::function<void()> Leftovers() const;

 private:
  // kEnded: what the process had started may still run.
  enum class State { kQueued, kAsked, kForked, kExecuted, kEnded };
  struct Entry {
    State state = State::kQueued;
    bool under_way = false;  // counts for the window
    pid_t pid = 0;           // from kForked until kEnded
    Make make;               // while kQueued
    std::string directory;   // until kExecuted: the working directory, for texts
  };
  using Entries = std::map<uint64_t, Entry>;

  // Changes the state of an entry; nothing else does.
  void Enter(Entries::iterator entry, State state);
  // Removes an entry, and with it the start that may be under way.
  void Erase(Entries::iterator entry);
  // Posts Fill.
  void FillSoon();
  // Removes an entry, and reports that it was not started.
  void Refuse(uint64_t key, const std::string& why);
  // Wraps a task for the loop: it runs only while this object exists and the spawner does.
  std::function<void()> Guarded(std::function<void()> task);
  // Requests queued starts while the window has room.
  void Fill();
  // Requests one start from the spawner.
  void Ask(uint64_t key);
  void Write(const v1::ToSpawner& message);
  // `done`: whether all was written; the rest is written when the socket takes it.
  void Written(const absl::StatusOr<bool>& done);
  void OnReadable();
  void OnMessage(const v1::FromSpawner& message);
  // The exec limit of a start is over.
  void OnLate(uint64_t key);
  void OnGone();
  void Close();

  const ProcessesOptions options_;
  Spawner spawner_;
  rpc::MessageReader reader_;
  rpc::MessageWriter writer_;
  base::FdLoop& loop_;
  AwakeTimers& timers_;
  Listener& listener_;
  Entries entries_;
  std::set<std::string> scratch_;  // folders to remove at the end; the spawner has the same list
  std::deque<uint64_t> queue_;     // keys, including those that were taken out since
  int under_way_ = 0;              // entries with `under_way`
  bool filling_ = false;           // Fill has been posted
  bool gone_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinkle::worker
