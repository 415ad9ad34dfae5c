// The output of worker processes: the last lines of each, its log file, and its watchers. Until the program of a job
// watches, nearly all output is kept, because ranks print before the program can ask for it.
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
  size_t unwatched_bytes = 32 << 20;  // of each job that nobody watches in full; on top of the two limits above
  size_t message_bytes = 256 << 10;   // of a message to a watcher; a message may be larger by one line
};

// Keeps and passes on the output of worker processes. Thread-safe. Watchers are called in order, on the thread that
// brings the lines, with the store locked: they must not block, and must not call the store.
class OutputStore {
 public:
  // A batch of lines: of one process, or of the kept lines of several.
  using Message = std::shared_ptr<const v1::Output>;
  // Receives messages. Null: the job has ended, and nothing more comes.
  using Watcher = std::function<void(const Message&)>;

  // `files` must outlive the store.
  OutputStore(OutputOptions options, LogFiles* files) : options_(options), files_(*files) {}

  // Begins to keep the output of a process.
  void AddProcess(uint64_t job, const v1::Process& process);
  // Lines that a process has printed. `error`: on its standard error. Lines of an unknown process are dropped.
  void Add(uint64_t process, int pid, bool error, const std::vector<OutputLine>& lines);
  // A line of the node daemon's own about a process, among the lines of its standard error.
  void AddNote(uint64_t process, int pid, const std::string& text);
  // The last `most` lines that the process itself has printed, oldest first.
  std::vector<std::string> LastLines(uint64_t process, size_t most) const;
  // No process of the job is left: its watchers are told so, and its output is dropped.
  void EndJob(uint64_t job);
  // EndJob for all jobs.
  void EndAllJobs();

  // Passes the kept lines on to the watcher as `watch` says, and then all that come. Who asks for all kept lines is
  // told how many lines of a process are no longer kept, in their place. Returns the id for Unwatch; 0: the job is not
  // known here.
  uint64_t Watch(const v1::WatchJob& watch, Watcher watcher);
  // Ends a watch. No call of the watcher is under way, or follows.
  void Unwatch(uint64_t id);

 private:
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    std::deque<v1::Output::Line> lines;
    size_t bytes = 0;      // of `lines`
    uint64_t dropped = 0;  // lines that came before `lines` and are not kept any more
    bool watched = false;  // somebody has received all lines, and receives further ones
  };
  struct Watching {
    v1::WatchJob wish;
    Watcher watcher;
  };
  // Collects lines into messages of about `most` bytes each.
  class Batch;

  static bool Wants(const v1::WatchJob& wish, const Process& process);
  static v1::Output::Line LineOf(uint64_t id, int pid, bool error, const Process& process, const OutputLine& line);
  static bool WantsAll(const v1::WatchJob& wish);
  static v1::Output::Line NoteOf(int pid, const Process& process, const std::string& text);
  static v1::Output::Line DroppedNoteOf(const Process& process);
  // Keeps the lines, and passes them on to watchers.
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
