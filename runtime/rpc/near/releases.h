// Releases: tells processes which buffers are no longer mapped, and which chunks of memory are gone.
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

// Tells owners which of their leases this process has let go of, and readers which chunks of this process are gone;
// many at a time. The last reference to a buffer may go in any thread and under any lock, so a queue of its own sends
// the words, from when there is something to tell. Thread-safe. Mapped buffers keep this object, so it may outlive the
// transport.
class Releases : public std::enable_shared_from_this<Releases> {
 public:
  // Sends a word to a peer. Does not block.
  using Tell = std::function<void(ProcessId, NearWord)>;

  // `executor` must exist until Close has returned. `name` is the queue's.
  Releases(base::Executor* executor, std::string name);

  // Sets how words are sent. What was added before is dropped; nothing is mapped yet then.
  void Begin(Tell tell);
  // Whether there is a thread to tell owners; it is made now if need be. Nothing may be mapped without it.
  bool Ready();

  // A lease of the owner is let go of. Does nothing in a fork of the process, which has no leases.
  void Add(ProcessId owner, uint64_t lease);
  // A chunk of this process's memory is gone. Readers will be told.
  void AddUnmapped(const UnmappedChunk& gone);
  // Adds or removes a reader: a peer that may have mapped memory of this process.
  void AddReader(ProcessId peer);
  void RemoveReader(ProcessId peer);

  // Tells what is to be told, and then nothing more. Must not be called from a task of its queue. Further calls do
  // nothing.
  void Close();

 private:
  // Makes the queue if there is none. False: there is no thread for it.
  bool HasThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushLater() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush();

  base::Executor& executor_;
  const std::string name_;
  const pid_t process_;
  base::Mutex mutex_;
  std::shared_ptr<const Tell> tell_ ABSL_GUARDED_BY(mutex_);  // null: before Begin, and after Close
  std::unique_ptr<base::TaskQueue> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, NearWord> pending_ ABSL_GUARDED_BY(mutex_);  // what to tell, by peer
  absl::flat_hash_set<ProcessId> readers_ ABSL_GUARDED_BY(mutex_);
  bool flushing_ ABSL_GUARDED_BY(mutex_) = false;  // a Flush is posted
};

}  // namespace twinkle::rpc
