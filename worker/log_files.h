// What worker processes print, in files.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/executor.h"

namespace twinkle::worker {

struct LogFileOptions {
  std::string folder = {};                      // FOLDER/job-N/GROUP-RANK.log; empty: none are written
  size_t file_bytes = 64 << 20;                 // of a file; then it becomes FILE.1
  size_t most_waiting = 16 << 20;               // bytes that the disk has not taken yet
  absl::Duration end_limit = absl::Seconds(1);  // for the disk, at the end
};

// Makes the folder where there is none. OK when files can be made in it, else why not.
absl::Status CheckLogFolder(const std::string& folder);

// A group's name as part of a file's name: whatever it is, it names a file in the folder where it is looked for.
std::string FileNameOf(const std::string& group);

// Thread-safe, and never blocks but for `end_limit` in Flush and the destructor. Invariants:
//  L1 a thread of its own writes: a disk that hangs or is full harms nothing else;
//  L2 what waits for the disk is bounded in bytes;
//  L3 where lines are missing in a file, one line there says how many, as soon as the file takes a line again.
class LogFiles {
 public:
  LogFiles(LogFileOptions options, base::Executor* executor);
  ~LogFiles();
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  bool enabled() const { return state_ != nullptr; }
  void Open(uint64_t process, uint64_t job, const std::string& group, int rank);
  // `lines` of them, each with its newline.
  void Write(uint64_t process, std::string text, size_t lines);
  void Close(uint64_t process);
  // Waits until all that was given before is in the files, or cannot be; for `end_limit` at most.
  void Flush();

 private:
  struct File;
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread; null: no files are written
  std::unique_ptr<base::TaskQueue> thread_;
};

}  // namespace twinkle::worker
