// What worker processes print: the last lines of each, a file for each, and whoever watches. Until the program of a job
// watches, nearly all is kept: what its ranks print at their start comes before it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/mutex.h"
#include "worker/line_splitter.h"
#include "worker/log_files.h"

namespace twinkle::worker {

struct OutputOptions {
  size_t kept_lines = 1000;           // of each process
  size_t kept_bytes = 1 << 20;        // of each process
  size_t unwatched_bytes = 32 << 20;  // of each job of which nobody has watched all; more than the two above
  size_t message_bytes = 256 << 10;   // of a message to a watcher, or a little more: many lines fit into one
};

// Thread-safe. Watchers are called in order, on whichever thread brings the lines; they must not block.
class OutputStore {
 public:
  using Message = std::shared_ptr<const v1::Output>;  // of one process's lines, or of those that were kept
  // Null: the job has ended, nothing more comes.
  using Watcher = std::function<void(const Message&)>;

  // `files` outlive the store.
  OutputStore(OutputOptions options, LogFiles* files) : options_(options), files_(*files) {}

  void AddProcess(uint64_t job, const v1::Process& process);
  void Add(uint64_t process, int pid, bool error, const std::vector<OutputLine>& lines);
  // What the node daemon has to say of the process, among its lines of standard error.
  void AddNote(uint64_t process, int pid, const std::string& text);
  // Of what it has printed.
  std::vector<std::string> LastLines(uint64_t process, size_t most) const;
  // No process of the job is left.
  void EndJob(uint64_t job);
  // The same of all jobs.
  void EndAllJobs();

  // Tells the watcher of kept lines as `watch` says, then of all that come. Who wants all that is kept is told, where
  // they would have been, how many lines of a process are not. 0: the job is not known here.
  uint64_t Watch(const v1::WatchJob& watch, Watcher watcher);
  void Unwatch(uint64_t id);

 private:
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    std::deque<v1::Output::Line> lines;
    size_t bytes = 0;      // of `lines`
    uint64_t dropped = 0;  // lines that came before them
    bool watched = false;  // somebody has been told of all, and is told of what comes
  };
  struct Watching {
    v1::WatchJob wish;
    Watcher watcher;
  };
  // Collects lines into messages of about `most` bytes.
  class Batch;

  static bool Wants(const v1::WatchJob& wish, const Process& process);
  static v1::Output::Line LineOf(uint64_t id, int pid, bool error, const Process& process, const OutputLine& line);
  static bool WantsAll(const v1::WatchJob& wish);
  static v1::Output::Line NoteOf(int pid, const Process& process, const std::string& text);
  static v1::Output::Line DroppedNoteOf(const Process& process);
  // Keeps the lines, and tells the watchers of them.
  void PassOn(Process& process, std::vector<v1::Output::Line> lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(Process& process, v1::Output::Line line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool KeepsTooMuch(const Process& process) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Trim(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetWatched(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const Process& process, const Message& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const OutputOptions options_;
  LogFiles& files_;
  mutable base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Process> processes_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, size_t> unwatched_
      ABSL_GUARDED_BY(mutex_);  // bytes kept, of each job's processes that are not watched
  std::map<uint64_t, Watching> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::worker
