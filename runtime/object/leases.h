// What this process holds because others map it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/transport.h"

namespace twinkle::object {

// Thread-safe. Owners are let go of outside the lock: what they own may come back here.
class Leases {
 public:
  // Holds `owner` until its release by that peer.
  uint64_t Add(rpc::ProcessId peer, std::shared_ptr<const void> owner);
  void Release(rpc::ProcessId peer, const std::vector<uint64_t>& leases);
  // The connection to the peer is gone. What it has is held on until the process with that pid is gone, too; 0: there
  // was never one that maps anything.
  void PeerLost(rpc::ProcessId peer, int pid);
  // Those of peers that are not lost.
  size_t size() const;

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
