// What a job's processes are started with on this node: the program's file, and a folder with the files that it needs.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "worker/program_copies.h"
#include "worker/side_threads.h"

namespace twinkle::worker {

// What was brought for one job.
struct Brought {
  ProgramCopies::Copy program;  // to be executed; it may be open for its path alone
  std::string folder;           // absolute; empty: the program needs no files
};

struct ProgramStoreOptions {
  std::string node;  // its name, for people
  v1::Place place;   // the node daemon's
  // Writes a file of the node daemon at that gRPC target into the descriptor; blocks. Null: there are no other nodes.
  std::function<absl::Status(const v1::FetchProgram&, const std::string& from, int to)> fetch;
  // Told on the loop of each folder that is to go with the daemon, however that ends; and of each that has gone before.
  std::function<void(const std::string&)> scratch;
  std::function<void(const std::string&)> scratch_gone;
};

// For the loop's thread. Invariants:
//  S1 what touches a file system runs on a thread of the job's own: storage that hangs delays that job and nothing
//  else; S2 `done` is called once, on the loop, unless the job was dropped before; S3 no folder is left of a job that
//  was dropped, whenever its thread comes back; nor of one that is being filled when the daemon ends: `scratch` is told
//  as soon as it is made.
//
// On the program's own machine, where its pid means the same process, the very file that it runs is used, replaced on
// disk or not, readable or not. Elsewhere the file at the same path is used, if it is the same by its SHA-256; else a
// copy is brought from the node daemon beside the program.
class ProgramStore {
 public:
  using Done = std::function<void(absl::StatusOr<Brought>)>;

  ProgramStore(ProgramStoreOptions options, base::Executor* executor, SideThreads::Post post);
  ~ProgramStore();

  // Brings what the job needs. FailedPrecondition: the file here is another one, and no copy can be had;
  // ResourceExhausted, Unavailable and the like: what the disk or the other node says.
  void Bring(const v1::StartJob& start, Done done);
  // The job has ended: its folder goes, and its program's copy when no other job uses it. Unknown jobs are none.
  void Drop(uint64_t job);
  // Nothing is under way.
  bool idle() const { return threads_.running() == 0; }

 private:
  struct Result {  // of the work on the thread
    absl::StatusOr<Brought> brought = absl::UnknownError("");
    std::string folder;  // also when bringing failed
  };
  void Came(uint64_t job, uint64_t bringing, const std::shared_ptr<Result>& result);
  void Remove(const std::string& folder);

  struct Work;  // the part that runs on threads
  const std::shared_ptr<Work> work_;
  SideThreads threads_;
  struct Job {
    uint64_t bringing = 0;  // what it waits for; another job may have the number of one that was dropped
    Done done;              // null: told
    std::string folder;
    ProgramCopies::Copy program;
  };
  uint64_t next_bringing_ = 1;
  std::map<uint64_t, Job> jobs_;
};

}  // namespace twinkle::worker
