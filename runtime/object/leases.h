// What this process holds because others map it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/base/process_mark.h"
#include "runtime/rpc/transport.h"

namespace twinkle::object {

// Thread-safe. Owners are let go of outside the lock: what they own may come back here.
class Leases {
 public:
  // Holds `owner` until its release by that peer.
  uint64_t Add(rpc::ProcessId peer, std::shared_ptr<const void> owner);
  void Release(rpc::ProcessId peer, const std::vector<uint64_t>& leases);
  // The connection to the peer is gone. What it has is held on until the process that maps it has ended, too, and no
  // longer; without one there was never anything mapped.
  void PeerLost(rpc::ProcessId peer, const base::ProcessMark& reader);
  // Those of peers that are not lost.
  size_t size() const;

  // Lets go, before it returns, of what processes had that have ended by now, of all jobs that this process was in. It
  // happens by itself, too, in a thread that is there while there is something to wait for.
  static void Sweep();

 private:
  using Owner = std::shared_ptr<const void>;
  struct Lease {
    rpc::ProcessId peer;
    Owner owner;
  };
  mutable base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<uint64_t, Lease> leases_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::object
