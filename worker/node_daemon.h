// The node daemon: what the driver asks of this node, done through the spawner; what happens to the node's processes,
// told to the driver.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proto/twinkle/v1/local.pb.h"
#include "runtime/base/fd_loop.h"
#include "runtime/rpc/fd_channel.h"
#include "worker/cause_of_death.h"
#include "worker/environment.h"
#include "worker/output_store.h"
#include "worker/processes.h"
#include "worker/spawner.h"

namespace twinkle::worker {

struct DaemonOptions {
  v1::NodeDescription node;
  std::string driver;                              // gRPC target, for worker processes
  absl::Duration start_limit = absl::Seconds(20);  // for a process to reach Initialize
  DriverAccess access;                             // for programs that worker processes start
  uint64_t object_memory = 0;  // for the objects of a worker process; 0: its share of half the machine's memory
  // Brings a program, or a file that it needs, with that digest from another node's daemon at that address.
  std::function<void(const v1::FetchProgram&, const std::string& digest, const std::string& from,
                     std::function<void(absl::StatusOr<rpc::Fd>)>)>
      fetch;
};

// Confined to the loop's thread. Invariants:
//  W1 every process that the driver wanted is told of once more: when it has ended, or could not be started;
//  W2 a job is cleared when it was to stop and none of its processes is left;
//  W3 nothing is left of a process that ended, but what descends from it and has cut itself loose from its group, and
//  that
//     the spawner ends.
class NodeDaemon final : public Processes::Listener {
 public:
  using Send = std::function<void(v1::NodeToDriver)>;
  using OnFatal = std::function<void(const absl::Status&)>;

  // `fatal`: the spawner is gone.
  NodeDaemon(DaemonOptions options, Spawner spawner, base::FdLoop* loop, OutputStore* output, OnFatal fatal);

  // To be called before the first message; again with a new connection.
  void SetDriver(Send send) { send_ = std::move(send); }
  void OnMessage(const v1::DriverToNode& message);
  // The driver is gone, and all jobs with it.
  void EndAllJobs();
  // Kills what runs: for when the spawner cannot.
  void KillAll();
  // Ends the spawner, and with it all that it started; blocks until it has ended.
  void EndSpawner() { spawner_.EndSpawner(); }
  bool idle() const { return jobs_.empty() && processes_.empty(); }

 private:
  struct Pipe {
    rpc::Fd fd;
    bool error = false;
    std::string partial;  // a line that has not ended
  };
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    int pid = 0;
    bool listens = false;
    v1::Endpoint endpoint;  // then
    bool late = false;      // it did not reach Initialize in time
    bool ended = false;     // by this daemon
    rpc::Fd role;
    std::unique_ptr<rpc::MessageReader> reader;
    std::unique_ptr<rpc::MessageWriter> writer;
    std::vector<Pipe> pipes;
  };
  struct Job {
    v1::StartJob start;
    bool stopping = false;
    std::string files;  // folder with what the program needs; empty: nothing
    rpc::Fd program;    // pidfd
    std::set<uint64_t> processes;
  };

  void Start(const v1::StartJob& start);
  // Puts the program's files in order into a folder of the job's own, from the one with that number on.
  void BringFiles(const v1::StartJob& start, int next, const std::shared_ptr<absl::StatusOr<rpc::Fd>>& program);
  absl::Status PutFile(Job& job, const v1::File& file, int copy);
  void StartAll(const v1::StartJob& start, const absl::StatusOr<rpc::Fd>& program);
  absl::StatusOr<rpc::Fd> OpenProgram(const v1::Program& program) const;
  void WatchProgram(uint64_t number, Job& job);
  void StartProcess(const Job& job, const v1::Process& facts, const std::shared_ptr<const rpc::Fd>& executable);
  absl::StatusOr<Launch> LaunchOf(uint64_t key, const rpc::Fd& executable);
  void OnStarted(uint64_t key, pid_t pid) override;
  void OnNotStarted(uint64_t key, const std::string& why) override;
  void OnEnded(uint64_t key, int status) override;
  void OnSpawnerGone() override;
  void CouldNotStart(uint64_t job, const v1::Process& facts, const std::string& why);
  void Stop(uint64_t job, absl::Duration grace);
  void Signal(uint64_t key, int number);
  void ToWorkers(uint64_t job, const v1::ToWorker& message);
  void Write(uint64_t key, const v1::ToWorker& message);
  void Flush(uint64_t key);
  std::string CauseOf(const Process& process, int wait_status);
  void OnRole(uint64_t key);
  void TellListens(const Process& process);
  void OnOutput(uint64_t key, size_t pipe);
  void ReadOutput(Process& process, Pipe& pipe);
  void ClearIfDone(uint64_t job);
  static void RemoveFiles(const Job& job);
  void Forget(Process& process);

  const DaemonOptions options_;
  base::FdLoop& loop_;
  Processes spawner_;
  OutputStore& output_;
  const OnFatal fatal_;
  Send send_;
  OomWatch out_of_memory_;
  std::map<uint64_t, Job> jobs_;
  std::map<uint64_t, Process> processes_;  // by id, which is the spawner's key
};

}  // namespace twinkle::worker
