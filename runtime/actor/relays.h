// Relays: parts of arguments that many processes of other machines need go to each machine once.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "runtime/actor/lost_peers.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/placement.h"
#include "runtime/codec/codec.h"

namespace twinkle::actor {

// Plans relays for a call to `workers` whose parts (like `workers`) are known. What several of them read of the same
// object comes to each machine once: the first worker on a machine pulls it, for the others there, which map its
// memory. These first workers form a binomial tree under the owner, so that n machines have it after log2(n) transfers,
// and no machine's link carries more than log2(n) of them. Workers on the owner's machine, and those whose machine is
// not known (0), read from the owner. `next_number`: the next number for a relay of this caller.
void PlanRelays(std::span<const rpc::ProcessId> workers, const Placement& placement, uint64_t* next_number,
                std::span<std::vector<WireArgument>> parts);

// The parts that pass through one process. Confined to the process's service queue. A part that does not come fails for
// its readers alone. Invariants:
//  RE1 a part is kept until this process and all its readers have had it, or are lost;
//  RE2 a reader is answered once: with the part, with why it did not come, or with its caller's loss;
//  RE3 which of call and readers comes first makes no difference.
class Relays {
 public:
  using Got = absl::AnyInvocable<void(const absl::StatusOr<codec::Encoded>&)>;

  Relays(rpc::ProcessId self, const LostPeers* lost) : self_(self), lost_(*lost) {}

  // A call has come that has the part. True: the part must be brought now (Arrived follows).
  bool Expect(const RelayKey& key, const std::vector<rpc::ProcessId>& readers);
  // The part has been brought, or why it cannot be.
  void Arrived(const RelayKey& key, absl::StatusOr<codec::Encoded> part);
  // `reader`, which may be this process, wants the part.
  void Read(const RelayKey& key, rpc::ProcessId reader, Got got);
  // This process will not ask for the part (any more).
  void Drop(const RelayKey& key);

  // A peer is lost. REQUIRES: LostPeers has it already.
  void OnLost(rpc::ProcessId peer, const absl::Status& why);
  // Drops the parts of calls of a process that is forgotten by now: a reader that has not asked yet never got the call.
  void ForgetCaller(rpc::ProcessId caller);

  size_t size() const { return parts_.size(); }

 private:
  struct Part {
    bool expected = false;
    std::set<rpc::ProcessId> readers;  // that have not had it
    std::optional<absl::StatusOr<codec::Encoded>> value;
    std::vector<std::pair<rpc::ProcessId, Got>> waiting;
  };
  void Answer(const RelayKey& key, Part& part);

  const rpc::ProcessId self_;
  const LostPeers& lost_;
  absl::flat_hash_map<RelayKey, Part> parts_;
};

}  // namespace twinkle::actor
