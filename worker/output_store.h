// What worker processes print: the last lines of each, a file for each, and whoever watches.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/mutex.h"

namespace twinkle::worker {

struct OutputOptions {
  std::string folder = {};         // for files, FOLDER/job-N/GROUP-RANK.log; empty: none are written
  size_t kept_lines = 1000;        // of each process
  size_t file_bytes = 64 << 20;    // of a file; then it becomes FILE.1
  size_t longest_line = 64 << 10;  // what goes beyond is cut off
};

// Thread-safe. Watchers are called in order, on whichever thread brings the lines; they must not block.
class OutputStore {
 public:
  // Null: the job has ended, nothing more comes.
  using Watcher = std::function<void(const v1::Output*)>;

  explicit OutputStore(OutputOptions options) : options_(std::move(options)) {}

  void AddProcess(uint64_t job, const v1::Process& process);
  // A line without its end.
  void Add(uint64_t process, int pid, bool error, std::string line);
  std::vector<std::string> LastLines(uint64_t process, size_t most) const;
  // No process of the job is left.
  void EndJob(uint64_t job);

  // Tells the watcher of kept lines as `watch` says, then of all that come. 0: the job is not known here.
  uint64_t Watch(const v1::WatchJob& watch, Watcher watcher);
  void Unwatch(uint64_t id);

  size_t longest_line() const { return options_.longest_line; }

 private:
  struct Process {
    uint64_t job = 0;
    v1::Process facts;
    std::deque<v1::Output::Line> lines;
    std::unique_ptr<std::ofstream> file;
    size_t file_bytes = 0;
  };
  struct Watching {
    v1::WatchJob wish;
    Watcher watcher;
  };
  static bool Wants(const v1::WatchJob& wish, const Process& process);
  void WriteFile(Process& process, const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const OutputOptions options_;
  mutable base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Process> processes_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Watching> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::worker
