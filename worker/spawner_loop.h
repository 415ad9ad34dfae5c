// The spawner's loop: what the spawner process does.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/fd_channel.h"
#include "worker/rank_cgroups.h"
#include "worker/spawner.h"
#include "worker/warden.h"

namespace twinkle::worker {

// Starts processes through wardens, and reports their ends to the daemon. For one thread at a time. Invariants:
//  SL1 the spawner waits only for all of its descriptors at once. So a daemon that does not read, a process that does
//      not become its program, and a process that cannot be killed delay nothing else;
//  SL2 a pid is signalled only while it is the worker process's: while that lives, or has not been waited for;
//  SL3 the spawner's children are wardens, and worker processes that it has yet to wait for. Any other child has lost
//      its warden, and is killed;
//  SL4 a process is reported as cleared once, after its end, when its warden has ended all that it had started. If the
//      warden itself was killed: when no child is left that has lost its warden.
class SpawnerLoop {
 public:
  // `socket`: to the daemon, not blocking. SIGCHLD must be blocked.
  SpawnerLoop(int socket, const SpawnerOptions& options);

  // Runs until the daemon is gone; then ends all processes and removes what they leave.
  void Run();

 private:
  // kEnded: its end was reported, and that it is cleared is to be. kOver: nothing more is to be reported.
  enum class State { kStarting, kForked, kExecuted, kEnded, kOver };
  struct Ward {
    State state = State::kStarting;
    pid_t warden = 0;          // 0: the warden has ended
    bool forsaken = false;     // its warden did not end as it should
    pid_t pid = 0;             // of the worker process, from kForked on
    base::Fd words;            // pipe with the warden's words
    std::vector<int> signals;  // that came before the process existed
  };
  using Wards = std::map<uint64_t, Ward>;

  void OnDaemon();
  // Forks a warden for a new process.
  void Spawn(v1::Spawn spawn, std::vector<base::Fd> fds);
  void NotStarted(uint64_t key, const std::string& why);
  void Signal(const v1::Signal& signal);
  // Reads the words that a warden has written.
  void OnWords(uint64_t key);
  void OnWord(uint64_t key, Ward& ward, const WardenWord& word);
  void OnRankReaped(uint64_t key, int status);
  void OnWardenReaped(uint64_t key, int status);
  void Reap();
  // Kills children that have lost their warden.
  void EndStrays();
  // Reports a process as cleared and forgets it, when all of it is over.
  void ClearIfDone(uint64_t key);
  void Send(const v1::FromSpawner& message);
  void Sent(const absl::StatusOr<bool>& done);
  // Kills all processes, and removes control groups and scratch folders.
  void EndAll();

  const int socket_;
  const rlimit open_files_;
  RankCgroups cgroups_;
  base::FdLoop loop_;
  rpc::MessageReader reader_;
  rpc::MessageWriter writer_;
  Wards wards_;                     // by key
  std::map<pid_t, uint64_t> keys_;  // of wardens and worker processes that have not been waited for
  bool strays_ = false;             // there may be children that have lost their warden
  std::set<std::string> scratch_;   // folders that are removed when the daemon is gone
};

}  // namespace twinkle::worker
