// Keeps what the objects of a process take of memory under a cap.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/object/object_table.h"

namespace twinkle::object {

struct SpillOptions {
  uint64_t cap_bytes = 0;  // of objects in memory; 0: no cap
  std::string folder = "/var/tmp";
};

// From four fifths of the cap on, objects used longest ago are written to files; above the cap, whoever is about to
// make another waits for that. Confined to the service queue, but for what says otherwise. Invariants:
//  P1 one object is written at a time, in a thread of its own;
//  P2 nobody waits but for an object that is being written: each wait ends with the disk's answer, or with Close;
//  P3 what cannot be written stays in memory.
class Spiller {
 public:
  using LoadDone = absl::AnyInvocable<void(absl::StatusOr<codec::Described>)>;

  // All of these outlive it; `name` is that of the threads, which are started when they are needed.
  Spiller(SpillOptions options, ObjectTable* table, base::TaskQueue* service, base::Executor* executor,
          std::string name);

  // After an insertion.
  void OnInserted();
  // The value in a file; `done` runs later, here.
  void Load(const codec::Type* type, std::shared_ptr<const SpillFile> file, LoadDone done);

  // Thread-safe, but not from the service queue: for a thread that is about to make an object. Blocks while there is
  // too much in memory and something is being written. ResourceExhausted: there is too much, and the disk takes no
  // more.
  absl::Status AwaitRoom();

  // Nobody waits any more; waits for what is being written. With the service queue closed, or from it.
  void Close();

  const SpillOptions& options() const { return options_; }

 private:
  void WriteNext();
  void OnWritten(uint64_t id, absl::StatusOr<std::shared_ptr<const SpillFile>> file);
  void SetRoom(absl::Status status);
  base::TaskQueue& queue();

  const SpillOptions options_;
  ObjectTable& table_;
  base::TaskQueue& service_;
  base::Executor& executor_;
  const std::string name_;
  std::unique_ptr<base::TaskQueue> queue_;
  bool writing_ = false;
  base::Instant failed_at_ = base::kLongAgo;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for tasks on the service queue

  std::atomic<bool> may_wait_ = false;  // `room_` or `full_` says something
  base::Mutex mutex_;
  std::shared_ptr<base::Event> room_
      ABSL_GUARDED_BY(mutex_);  // set when it is worth looking again; null: there is room
  absl::Status full_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::object
