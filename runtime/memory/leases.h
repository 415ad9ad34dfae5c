// What this process holds because others map it.
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
//  LE1 what a lease holds stays until the peer that has it has released it, or the process that maps it is known to
//  have
//      ended: a connection that broke is not enough;
//  LE2 a lease is released once, by the peer that has it;
//  LE3 owners are let go of outside the lock: what they own may come back here.
// What lost peers had belongs to the whole process, and to no Leases: it outlives the session. That is one of the few
// objects of which a process has one.
class Leases {
 public:
  // Holds `owner` for that peer. The lease's number is never used again.
  uint64_t Add(base::ProcessId peer, std::shared_ptr<const void> owner);
  // Lets go of those of the leases that the peer has; others stay.
  void Release(base::ProcessId peer, const std::vector<uint64_t>& leases);
  // The connection to the peer is gone. What it has is held on until the process that maps it has ended, too, and no
  // longer. A reader without a pid: nothing was ever mapped, so that all is let go of now.
  void PeerLost(base::ProcessId peer, const base::ProcessMark& reader);
  // The number of leases of peers that are not lost.
  size_t size() const;

  // Lets go, before it returns, of what processes had that have ended by now, of all jobs that this process was in. It
  // happens by itself, too, in a thread that is there while there is something to wait for.
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
