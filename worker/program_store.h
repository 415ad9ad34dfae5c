// The files with which a job's processes are started on this node: the program, and a folder with the files that it
// needs.
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

// The files of one job on this node.
struct Brought {
  ProgramCopies::Copy program;  // to be executed; may be open for its path alone (O_PATH)
  std::string folder;           // absolute; empty: the program needs no files
};

// The node, and how to reach other nodes.
struct ProgramStoreOptions {
  std::string node;  // its name, for texts
  v1::Place place;   // the node daemon's
  // Fetches a file from the node daemon at a gRPC target, and writes it into a descriptor; blocks. Null: there are no
  // other nodes.
  std::function<absl::Status(const v1::FetchProgram&, const std::string& from, int to)> fetch;
  // Called on the loop with each folder that must be removed when the daemon ends. `scratch_gone`: with each such
  // folder that has been removed.
  std::function<void(const std::string&)> scratch;
  std::function<void(const std::string&)> scratch_gone;
};

// Brings programs and their files to this node, and removes them after their jobs. Confined to the loop's thread.
// Invariants:
//  PG1 whatever touches a file system runs on a thread of the job's own: storage that hangs delays that job and nothing
//      else;
//  PG2 `done` is called once, on the loop, unless the job was dropped before;
//  PG3 no folder is left of a job that was dropped, whenever its thread comes back, nor of a job whose folder is being
//      filled when the daemon ends: `scratch` is called as soon as the folder is made.
//
// Which file is executed: on the program's own machine, where its pid means the same process, the very file that the
// program runs, whether or not it was replaced on disk or can be read. Elsewhere the file at the same path, if it has
// the same SHA-256; otherwise a copy from the node daemon on the program's machine.
class ProgramStore {
 public:
  using Done = std::function<void(absl::StatusOr<Brought>)>;

  ProgramStore(ProgramStoreOptions options, base::Executor* executor, SideThreads::Post post);
  ~ProgramStore();

  // Brings the files of a job, and calls `done`. FailedPrecondition: the file at the path here is another one, and no
  // copy can be had; ResourceExhausted, Unavailable and others: the error of the disk or the other node.
  void Bring(const v1::StartJob& start, Done done);
  // Removes the folder of a job that has ended, and its copy of the program if no other job uses it. Unknown jobs are
  // ignored.
  void Drop(uint64_t job);
  // Whether no thread works.
  bool idle() const { return threads_.running() == 0; }

 private:
  struct Result {  // what a thread has brought
    absl::StatusOr<Brought> brought = absl::UnknownError("");
    std::string folder;  // set even if bringing failed
  };
  void OnBrought(uint64_t job, uint64_t bringing, const std::shared_ptr<Result>& result);
  void Remove(const std::string& folder);

  struct Work;  // the part that runs on threads
  const std::shared_ptr<Work> work_;
  SideThreads threads_;
  struct Job {
    uint64_t bringing = 0;  // the bringing that it waits for; another job may have the number of a dropped one
    Done done;              // null: it was called
    std::string folder;
    ProgramCopies::Copy program;
  };
  uint64_t next_bringing_ = 1;
  std::map<uint64_t, Job> jobs_;
};

}  // namespace twinkle::worker
