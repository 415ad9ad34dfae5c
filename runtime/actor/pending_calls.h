// The calls that a process has made and that have not settled.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// What Add does when there is no room for one more.
enum class WithoutRoom { kBlock, kFail, kAddAnyway };

// Where a call is made: in a method, or in a thread that is in none.
enum class MadeIn { kMethod, kThread };

// Counts pending calls and their bytes, and holds back who would make too many. Thread-safe. CloseToThreads and FailAll
// end it: whoever waits in it goes on. Invariants:
//  PC1 when one is added, less than `most` are pending, and their arguments take less than `most_bytes`, unless it is
//      added anyway;
//  PC2 once it is closed to threads only calls that methods make are added: it comes to rest, whatever threads do.
class PendingCalls {
 public:
  // `most_bytes` 0: there is no limit of bytes.
  PendingCalls(size_t most, uint64_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  // Adds a call, until Remove. Without room it blocks, or gives ResourceExhausted, as `without_room` says. Cancelled:
  // see CloseToThreads.
  absl::Status Add(uint64_t call, const std::shared_ptr<internal::LazyCore>& core, WithoutRoom without_room,
                   MadeIn made_in = MadeIn::kMethod);
  // The call's arguments take that many bytes.
  void SetBytes(uint64_t call, uint64_t bytes);
  // The call has settled.
  void Remove(uint64_t call);
  // Blocks until all calls have settled. False: they have not by the deadline.
  bool WaitAllSettled(base::Instant deadline) const;
  // The texts of some pending calls.
  std::vector<std::string> Some(size_t most) const;
  // The session's end has begun: Add refuses what threads make, also those that wait in it.
  void CloseToThreads();
  bool closed_to_threads() const { return closed_to_threads_; }
  // How many calls were ever added. Read before Some, it counts those that Some may miss.
  uint64_t added() const;
  // Fails all pending calls with `why`.
  void FailAll(const absl::Status& why);

 private:
  using CorePtr = std::shared_ptr<internal::LazyCore>;
  struct Pending {
    CorePtr core;
    uint64_t bytes = 0;
  };
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes off the calls that have settled and are about to be removed, to be let go of without the lock.
  std::vector<CorePtr> TakeSettled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  const uint64_t most_bytes_;
  mutable base::Mutex mutex_;
  mutable base::CondVar all_settled_;
  absl::flat_hash_map<uint64_t, Pending> calls_ ABSL_GUARDED_BY(mutex_);
  uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;                                // of all of them
  std::deque<std::shared_ptr<base::Event>> blocked_ ABSL_GUARDED_BY(mutex_);  // threads in Add
  std::atomic<bool> closed_to_threads_ = false;                               // set with the lock held
};

}  // namespace twinkle::actor
