// Log files with the output of worker processes.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/executor.h"

namespace twinkle::worker {

// Where log files are, and how large they may grow.
struct LogFileOptions {
  std::string folder = {};         // files are FOLDER/job-N/GROUP-RANK.log; empty: none are written
  size_t file_bytes = 64 << 20;    // of a file; a file that is larger is renamed to FILE.1 and a new one begun
  size_t most_waiting = 16 << 20;  // bytes that wait for the disk; lines beyond that are lost
  absl::Duration end_limit = absl::Seconds(1);  // for the disk to take what waits, in Flush and the destructor
};

// Makes the folder if there is none. OK: files can be made in it; otherwise the system's error, with the folder's name.
absl::Status CheckLogFolder(const std::string& folder);

// A group's name as part of a file name. Bytes that are unsafe in a file name are escaped, so the file is always in the
// folder in which it is looked for.
std::string FileNameOf(const std::string& group);

// Writes the output of each worker process to a file of its own. Thread-safe. Never blocks, except for `end_limit` in
// Flush and the destructor. Functions for processes that are not open do nothing. Invariants:
//  LF1 one thread of its own does all writing: a disk that hangs or is full disturbs nothing else;
//  LF2 what waits for the disk is bounded in bytes (`most_waiting`);
//  LF3 where lines are missing in a file, one line there says how many, as soon as the file takes a line again.
class LogFiles {
 public:
  // `executor` gives the thread. Without a thread no files are written, and the log says so.
  LogFiles(LogFileOptions options, base::Executor* executor);
  ~LogFiles();
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  // Whether files are written.
  bool enabled() const { return state_ != nullptr; }
  // Sets the file of a process. The file itself is made with its first line.
  void Open(uint64_t process, uint64_t job, const std::string& group, int rank);
  // Appends `text`, which is `lines` lines with a newline each, to the file of a process.
  void Write(uint64_t process, std::string text, size_t lines);
  // Ends the file of a process. If lines are missing, its last line says how many.
  void Close(uint64_t process);
  // Waits until all that was given before is written or lost, at most `end_limit`.
  void Flush();

 private:
  struct File;
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread; null: no files are written
  std::unique_ptr<base::TaskQueue> thread_;
};

}  // namespace twinkle::worker
