// The order in which calls begin in a process. For each domain there is the gate of their numbers and, in the domain's
// first process, the sequencer that hands these out.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "runtime/actor/incoming_call.h"
#include "runtime/actor/lost_peers.h"
#include "runtime/actor/order_gate.h"
#include "runtime/actor/sequencer.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// Lets calls that have come go in their domains' orders. Confined to the process's service queue. A domain ends by
// Forget, which tells who waits for numbers; Clear drops all. Invariants:
//  DO1 a domain is there from the first word about it until Forget. No later word of others makes it anew: who asks for
//      something is answered with why it went;
//  DO2 what a sequencer asks about a lost caller is answered once, and not before that is lost here, too.
class Domains {
 public:
  using CallPtr = std::shared_ptr<IncomingCall>;
  // The listener runs the calls. It may call back.
  class Listener {
   public:
    virtual ~Listener() = default;
    // The call's turn has come.
    virtual void OnTurn(const CallPtr& call) = 0;
    // A number is used by nobody: its caller is gone, and not all members had its call. Called before the turn of the
    // numbers behind it.
    virtual void OnSkipped(uint64_t domain, uint64_t number) = 0;
    // Why the domain's component, or group, is gone. OK: it lives here, or is not there yet.
    virtual absl::Status WhyGone(uint64_t domain) const = 0;
  };
  // `services`, `lost` and `listener` must outlive the domains.
  Domains(const Services* services, const LostPeers* lost, Listener* listener)
      : services_(*services), lost_(*lost), listener_(*listener) {}

  // A call has come, with its place in the order. REQUIRES: its component is not gone.
  void Arrive(rpc::ProcessId from, const Order& order, const CallPtr& call);
  void OnSkip(rpc::ProcessId from, const SkipMessage& skip);
  void OnNumberRequest(rpc::ProcessId from, const NumberRequest& request);
  void OnRecalled(rpc::ProcessId from, const RecalledMessage& recalled);
  void OnLastQuery(rpc::ProcessId from, const LastQuery& query);
  void OnLastReply(const LastReply& reply);
  // A peer is lost. REQUIRES: LostPeers has it already.
  void OnLost(rpc::ProcessId peer);
  // Forgets a domain that nobody can call any more. Callers that have numbers of it, or wait for some, are told.
  void Forget(uint64_t domain, const absl::Status& why);
  void Clear() { domains_.clear(); }

  // Whether the turn of that number has come and gone.
  bool HasPassed(uint64_t domain, uint64_t number) const {
    const auto found = domains_.find(domain);
    return found != domains_.end() && found->second.gate.next() > number;
  }
  size_t size() const { return domains_.size(); }

 private:
  struct Domain {
    OrderGate<CallPtr> gate;
    absl::flat_hash_map<rpc::ProcessId, uint64_t> last;         // arrived, by caller
    std::vector<std::pair<rpc::ProcessId, LastQuery>> queries;  // about callers not yet known to be lost
    std::unique_ptr<Sequencer> sequencer;                       // in the domain's first process
    std::vector<rpc::ProcessId> members;
  };

  absl::Status WhyGone(uint64_t domain) const;
  void Release(std::span<const CallPtr> calls);
  Sequencer* SequencerOf(uint64_t domain);
  void Apply(uint64_t domain, const SequencerEffects& effects);

  const Services& services_;
  const LostPeers& lost_;
  Listener& listener_;
  absl::flat_hash_map<uint64_t, Domain> domains_;
};

}  // namespace twinkle::actor
