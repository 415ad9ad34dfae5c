// The peers that are lost to a process: its one memory of them, for all that asks some time after the loss.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <variant>

#include "runtime/base/recent.h"
#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// Remembers lost peers, the latest kMost of them. Confined to the process's service queue. Ids of processes are not
// used again: an entry is one run of a process.
class LostPeers {
 public:
  // A peer is lost; with OK it left as it should. Called before anybody in this process acts on the loss.
  void Add(rpc::ProcessId peer, const absl::Status& why) { lost_.Add(peer, why); }
  // The loss is so long ago that nothing made for the peer, or because of it, comes any more.
  void Forget(rpc::ProcessId peer) { forgotten_.Add(peer, {}); }

  bool Has(rpc::ProcessId peer) const { return lost_.Has(peer); }
  // Why the peer is lost, valid until the next Add. Null: it is not known to be lost.
  const absl::Status* Why(rpc::ProcessId peer) const { return lost_.Find(peer); }
  bool IsForgotten(rpc::ProcessId peer) const { return forgotten_.Has(peer); }
  size_t size() const { return lost_.size(); }

 private:
  static constexpr size_t kMost = 4096;  // what asks for one comes soon after its loss

  base::Recent<rpc::ProcessId, absl::Status> lost_{kMost};
  base::Recent<rpc::ProcessId, std::monostate> forgotten_{kMost};
};

}  // namespace twinkle::actor
