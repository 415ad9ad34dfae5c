// What the spawner does.
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

// Single-threaded. Invariants:
//  S1 it waits for nothing but all of its descriptors at once: neither a daemon that does not read, nor a process that
//     does not get to its program, nor one that cannot be killed delays another;
//  S2 a number is signalled only while it is that of the worker process, alive or not yet waited for;
//  S3 its children are wardens, and worker processes that it has yet to wait for; anything else has lost its warden,
//     and is killed;
//  S4 a process is told as cleared once, after its end, when its warden has ended all that it had started; where that
//     was killed itself, when nothing is left that has lost its warden.
class SpawnerLoop {
 public:
  // `socket`: to the daemon, not blocking. SIGCHLD is blocked.
  SpawnerLoop(int socket, const SpawnerOptions& options);

  // Until the daemon is gone; then ends what there is.
  void Run();

 private:
  // kEnded: it is to be told as cleared; kOver: nothing more is to be told.
  enum class State { kStarting, kForked, kExecuted, kEnded, kOver };
  struct Ward {
    State state = State::kStarting;
    pid_t warden = 0;          // 0: it has ended
    bool forsaken = false;     // by a warden that did not end as it should
    pid_t pid = 0;             // of the worker process, from kForked on
    base::Fd told;             // by the warden
    std::vector<int> signals;  // that came before there was a process
  };
  using Wards = std::map<uint64_t, Ward>;

  void OnDaemon();
  void Spawn(v1::Spawn spawn, std::vector<base::Fd> fds);
  void NotStarted(uint64_t key, const std::string& why);
  void Signal(const v1::Signal& signal);
  // What a warden has told.
  void OnTold(uint64_t key);
  void OnWord(uint64_t key, Ward& ward, const WardenWord& word);
  void OnRankReaped(uint64_t key, int status);
  void OnWardenReaped(uint64_t key, int status);
  void Reap();
  void EndStrays();
  // Forgets it, once everything of it is over.
  void ClearIfDone(uint64_t key);
  void Send(const v1::FromSpawner& message);
  void Sent(const absl::StatusOr<bool>& done);
  void EndAll();

  const int socket_;
  const rlimit open_files_;
  RankCgroups cgroups_;
  base::FdLoop loop_;
  rpc::MessageReader reader_;
  rpc::MessageWriter writer_;
  Wards wards_;                     // by key
  std::map<pid_t, uint64_t> keys_;  // of wardens and worker processes, until they are waited for
  bool strays_ = false;             // there may be some that have lost their wardens
  std::set<std::string> scratch_;   // folders that go with the daemon
};

}  // namespace twinkle::worker
