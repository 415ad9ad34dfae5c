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
#include <vector>

#include "runtime/base/event.h"
#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/object/object_table.h"
#include "runtime/object/spill_folder.h"

namespace twinkle::object {

struct SpillOptions {
  uint64_t cap_bytes = 0;  // of objects in memory; 0: no cap
  std::string folder = kSpillFolder;
  std::shared_ptr<memory::MappedFiles> mapped = nullptr;   // is told where files are; may be null
  absl::Duration retry_after = absl::Seconds(1);           // a disk that took no more, while nobody waits
  absl::Duration release_grace = absl::Milliseconds(100);  // releases may be under way when there is no room
};

// Where an object that was made is to be.
struct Admission {
  std::shared_ptr<const void> room;       // what it takes of memory is kept free for as long as this lives
  std::shared_ptr<const SpillFile> file;  // or its value, which is larger than all that may be in memory
};

// From four fifths of the cap on, objects used longest ago are written to files; above the cap no object is accepted:
// who makes one waits for that. Confined to the service queue, but for what says otherwise. Invariants:
//  SP1 one object is written at a time, in a thread of its own;
//  SP2 nobody waits but for an object that is being written, or for a moment: each wait ends with room, with the disk's
//      answer, or with Close;
//  SP3 what cannot be written stays in memory;
//  SP4 no object is admitted beyond the cap, whatever the disk says (small ones are not admitted but counted once they
//      are there: ObjectExchange::Admit);
//  SP5 the disk that refuses somebody was asked after he came: what it said before counts for nothing.
class Spiller {
 public:
  static constexpr uint64_t kAllRefusals = ~uint64_t{0};
  using LoadDone = absl::AnyInvocable<void(absl::StatusOr<codec::Described>)>;

  // All of these outlive it; `name` is that of the threads, which are started when they are needed.
  Spiller(SpillOptions options, ObjectTable* table, base::TaskQueue* service, base::Executor* executor,
          std::string name);

  // After an insertion or a removal.
  void OnChanged();
  // The value in a file; `done` runs later, here.
  void Load(const codec::Type* type, std::shared_ptr<const SpillFile> file, LoadDone done);

  // Thread-safe, but not from the service queue: for a thread that is about to make an object, or has made one of that
  // many bytes. Blocks while there is no room and something is being written. ResourceExhausted: there is none, and the
  // disk makes none.
  // `known`: refusals() when what wants room was asked for. Who asked before the last refusal, and nothing was released
  // since, is refused at once: it would wait for nothing.
  absl::Status AwaitRoom(uint64_t known = kAllRefusals);
  // How often there was no room, so far.
  uint64_t refusals() const { return refusals_; }
  absl::StatusOr<Admission> Admit(const codec::Described& value, uint64_t bytes);

  // Nobody waits any more; waits for what is being written. With the service queue closed, or from it.
  void Close();

  const SpillOptions& options() const { return options_; }

 private:
  struct Waiter {
    uint64_t bytes = 0;
    codec::Described value;  // to be kept; null: it is not made yet
    bool limited = false;    // it waits no longer than for releases; on the service queue
    bool tried = false;      // the disk has been asked since it came; likewise
    base::Event answered;
    absl::Status status;  // with `admission` the answer
    Admission admission;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;
  struct Refusal {
    absl::Status status;
    uint64_t bytes = ~uint64_t{0};  // that there were then; the most: something was released since
  };

  bool HasRoom(uint64_t bytes) const;
  // Takes that much of what is free.
  std::shared_ptr<const void> TryReserve(uint64_t bytes);
  absl::Status Await(const WaiterPtr& waiter);
  void Answer(const WaiterPtr& waiter, absl::Status status);
  // Those who wait still, in the order in which they came.
  std::vector<WaiterPtr> Waiting();
  bool StillWaits(const WaiterPtr& waiter);
  void GiveRoom();
  void NoteRelease();
  bool MayWrite();
  void Review();
  void Refuse(const WaiterPtr& waiter);
  absl::Status Full(uint64_t bytes) const;

  void WriteNext();
  void Write(codec::Described value, absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<const SpillFile>>)> done);
  // Null: no thread can be started.
  base::TaskQueue* queue();

  const SpillOptions options_;
  ObjectTable& table_;
  base::TaskQueue& service_;
  base::Executor& executor_;
  const std::string name_;
  std::unique_ptr<base::TaskQueue> queue_;
  bool writing_ = false;
  base::Instant failed_at_ = base::kLongAgo;  // since when nothing on the disk was released
  base::Instant told_failure_at_ = base::kLongAgo;
  uint64_t on_disk_ = 0;                                              // bytes, when it was last looked at
  absl::Status failure_;                                              // of the last writing; OK: it succeeded
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for tasks on the service queue

  const std::shared_ptr<std::atomic<uint64_t>> reserved_ = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> refusals_ = 0;
  bool told_full_ = false;  // since a fifth of it was free last
  std::atomic<bool> anyone_waits_ = false;
  base::Mutex mutex_;
  std::vector<WaiterPtr> waiters_ ABSL_GUARDED_BY(mutex_);
  Refusal refused_ ABSL_GUARDED_BY(mutex_);  // the last
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace twinkle::object
