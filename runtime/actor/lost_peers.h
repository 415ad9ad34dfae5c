// Who is lost to a process: its one memory of that, for all that asks some time after the loss.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <variant>

#include "runtime/base/recent.h"
#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// Confined to the process's service queue. Ids of processes are not used again: an entry is one run of a process.
class LostPeers {
 public:
  // Before anybody in this process acts on the loss. `why`: OK when it left as it should.
  void Add(rpc::ProcessId peer, const absl::Status& why) { lost_.Add(peer, why); }
  // Some time later: nothing that was made for it, or because of it, comes any more.
  void Forget(rpc::ProcessId peer) { forgotten_.Add(peer, {}); }

  bool Has(rpc::ProcessId peer) const { return lost_.Has(peer); }
  // Null: it is not known to be lost. Until the next Add.
  const absl::Status* Why(rpc::ProcessId peer) const { return lost_.Find(peer); }
  bool IsForgotten(rpc::ProcessId peer) const { return forgotten_.Has(peer); }
  size_t size() const { return lost_.size(); }

 private:
  static constexpr size_t kMost = 4096;  // what asks for one comes soon after its loss

  base::Recent<rpc::ProcessId, absl::Status> lost_{kMost};
  base::Recent<rpc::ProcessId, std::monostate> forgotten_{kMost};
};

}  // namespace twinkle::actor
