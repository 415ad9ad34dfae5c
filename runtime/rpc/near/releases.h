// Who is told that a buffer, or a chunk of memory, is no more.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/executor.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/near/near_word.h"

namespace twinkle::rpc {

// Tells owners which of their buffers are no longer mapped here, and readers which chunks of this process are gone,
// many at a time. The last reference to a buffer may go in any thread, under any lock, so it has a thread of its own,
// once there is something to tell. Thread-safe; what is mapped keeps it, so it may outlive the transport.
class Releases : public std::enable_shared_from_this<Releases> {
 public:
  // Sends the word to the peer; does not block.
  using Tell = std::function<void(ProcessId, NearWord)>;

  // `executor` outlives it, or Close is called before that ends. `name` is the thread's.
  Releases(base::Executor* executor, std::string name);

  // What was added before is lost: nothing is mapped yet.
  void Begin(Tell tell);
  // Whether there is a thread that tells owners: nothing may be mapped without.
  bool Ready();

  // A buffer of that owner's is no longer mapped here. Nothing in a fork of the process, which has no leases.
  void Add(ProcessId owner, uint64_t lease);
  // A chunk of this process's memory is gone.
  void AddUnmapped(const UnmappedChunk& gone);
  // Those that may have mapped memory of this process.
  void AddReader(ProcessId peer);
  void RemoveReader(ProcessId peer);

  // What is to be told is told before it returns, and nothing afterwards. Not from a task of its own queue.
  void Close();

 private:
  bool HasThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushLater() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush();

  base::Executor& executor_;
  const std::string name_;
  const pid_t process_;
  base::Mutex mutex_;
  std::shared_ptr<const Tell> tell_ ABSL_GUARDED_BY(mutex_);  // null: before Begin, and after Close
  std::unique_ptr<base::TaskQueue> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, NearWord> pending_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<ProcessId> readers_ ABSL_GUARDED_BY(mutex_);
  bool flushing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace twinkle::rpc
