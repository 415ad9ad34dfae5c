// Leases: memory that this process keeps because other processes map it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/mutex.h"
#include "runtime/base/process_mark.h"

namespace twinkle::memory {

// The leases of one session. Thread-safe. Invariants:
//  LE1 what a lease holds stays until its peer has released it, or the process that maps it is known to have ended: a
//      broken connection is not enough;
//  LE2 a lease is released once, by the peer that has it;
//  LE3 owners are destroyed outside the lock, because what they own may call back.
// Leases of lost peers move to a table of the whole process, which outlives sessions. It is one of the few objects of
// which a process has only one.
class Leases {
 public:
  // Holds `owner` for a peer. Returns the lease's number, which is never used again.
  uint64_t Add(base::ProcessId peer, std::shared_ptr<const void> owner);
  // Ends those of the leases that the peer has; others stay.
  void Release(base::ProcessId peer, const std::vector<uint64_t>& leases);
  // The connection to the peer is lost. Its leases end when the process `reader`, which maps the memory, has ended. A
  // reader without a pid: nothing was ever mapped, and its leases end now.
  void PeerLost(base::ProcessId peer, const base::ProcessMark& reader);
  // The number of leases of peers that are not lost.
  size_t size() const;

  // Ends the leases of processes that have ended by now, for all jobs of this process. A thread does the same while
  // there are lost peers to wait for. Thread-safe.
  static void Sweep();

 private:
  using Owner = std::shared_ptr<const void>;
  struct Lease {
    base::ProcessId peer;
    Owner owner;
  };
  mutable base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<uint64_t, Lease> leases_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::memory
