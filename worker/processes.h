// The processes of a node, as the daemon sees them: started and signalled through the spawner, without ever waiting for
// it.
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

// What a process begins with, besides /dev/null as its standard input.
struct Launch {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string directory;                 // empty: the spawner's
  uint64_t ignored_signals = 0;          // bit n - 1: signal n; all others have their default
  uint64_t blocked_signals = 0;
  base::Fd executable;
  base::Fd role;  // kRoleDescriptor of the process
  base::Fd output;
  base::Fd error;
};

struct ProcessesOptions {
  // Starts under way at once. More would take the processors from one another, and from the spawner. 0: four for each
  // processor, at least 16.
  int window = 0;
  absl::Duration exec_limit = absl::Seconds(20);   // for a process that was asked for to become the program
  absl::Duration settle_limit = absl::Seconds(2);  // for a new process to settle, before it makes room all the same
  absl::Duration end_limit = absl::Seconds(10);    // for the spawner to end what there is, before it is killed
};

// Confined to the loop's thread. Never blocks but in EndSpawner. Invariants:
//  P1 each start is answered once: OnStarted or OnNotStarted; each process that started ends once: OnEnded; and is
//     cleared once after that, when nothing that it had started is left: OnCleared;
//  P2 no more than `window` starts are under way: from when they are asked for until they settle or are over, at most
//     `settle_limit` once there is a process. The others wait here, and hold nothing. So a thousand processes do not
//     begin at once, each has what it needs to begin within its limit, and those that hang keep nobody from starting;
//  P3 what a process does before it is the program, or does not do, is told within the limit, and delays no other; what
//     everything has slept does not count (AwakeTimers);
//  P4 after OnSpawnerGone nothing is told any more.
class Processes {
 public:
  // Called from the loop, never from within a function of this class.
  class Listener {
   public:
    virtual ~Listener() = default;
    // It is the program now: what it is given to reach Initialize counts from here.
    virtual void OnStarted(uint64_t key, pid_t pid) = 0;
    // There is no such process, nor will there be. `why` is a sentence that names what was missing.
    virtual void OnNotStarted(uint64_t key, const std::string& why) = 0;
    // `status` as waitpid gives it.
    virtual void OnEnded(uint64_t key, int status) = 0;
    virtual void OnCleared(uint64_t key) = 0;
    // Whatever was started is to be ended with KillAll.
    virtual void OnSpawnerGone() = 0;
  };
  // Makes what the process begins with, when its turn has come; a failure is that of the start.
  using Make = std::function<absl::StatusOr<Launch>()>;

  // What is pointed to outlives it.
  Processes(ProcessesOptions options, Spawner spawner, base::FdLoop* loop, AwakeTimers* timers, Listener* listener);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // `key`: the caller's name for it, not used for another one.
  void Start(uint64_t key, Make make);
  // The process has begun its work: it makes room for another to start.
  void Settle(uint64_t key);
  // To its process group. SIGKILL takes what has not been asked for out of the queue: OnNotStarted; other signals do
  // not reach what has not started. A key that is not known, or has ended: nothing.
  void Signal(uint64_t key, int number);
  // A folder that is to go when the daemon does, however that ends; until it is forgotten, for it has been removed.
  void KeepScratch(const std::string& folder);
  void ForgetScratch(const std::string& folder);
  // Kills what runs, through the process groups too: for when the spawner cannot.
  void KillAll() const;
  // Ends the spawner, and with it all that it started; blocks until it has ended, at most `end_limit`. Nothing is told
  // any more. False: it has not ended in time, or was stopped (SIGSTOP), and was killed. What it has started is
  // orphaned to this process then, if that is a subreaper, and is the caller's to end.
  bool EndSpawner();
  // What a spawner that was killed has left besides: removes its processes' control groups, and the scratch folders.
  // For when these processes have ended. May run on any thread, also when this is no more; blocks as the storage does.
  std::function<void()> Leftovers() const;

 private:
  enum class State { kQueued, kAsked, kForked, kExecuted, kEnded };  // kEnded: what it has started may be there
  struct Entry {
    State state = State::kQueued;
    bool under_way = false;  // counts for the window
    pid_t pid = 0;           // from kForked until kEnded
    Make make;               // while kQueued
    std::string directory;   // until kExecuted: what it has to enter
  };
  using Entries = std::map<uint64_t, Entry>;

  void Enter(Entries::iterator entry, State state);
  void Erase(Entries::iterator entry);
  void FillSoon();
  // Takes it out and tells why.
  void Refuse(uint64_t key, const std::string& why);
  // Runs it if this still is there then.
  std::function<void()> Guarded(std::function<void()> task);
  void Fill();
  void Ask(uint64_t key);
  void Write(const v1::ToSpawner& message);
  void Written(const absl::StatusOr<bool>& done);
  void OnReadable();
  void OnMessage(const v1::FromSpawner& message);
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
  std::set<std::string> scratch_;  // folders that go with the daemon; the spawner knows them, too
  std::deque<uint64_t> queue_;     // keys, some of which may have been taken out
  int under_way_ = 0;              // entries that count for the window
  bool filling_ = false;           // Fill has been posted
  bool gone_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinkle::worker
