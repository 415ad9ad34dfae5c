// The order in which the calls of a process begin: for each domain the gate of their numbers and, in the domain's first
// process, the sequencer that hands these out.
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

// Confined to the process's service queue. Invariants:
//  DO1 a domain is there from the first word about it until Forget. No later word of others makes it anew: who asks for
//      something is answered with why it went;
//  DO2 what a sequencer asks about a lost caller is answered once, and not before that is lost here, too.
class Domains {
 public:
  using CallPtr = std::shared_ptr<IncomingCall>;
  // Who runs the calls. It may call back.
  class Listener {
   public:
    virtual ~Listener() = default;
    // The call's turn has come.
    virtual void OnTurn(const CallPtr& call) = 0;
    // Nobody uses that number: its caller is gone, and not all had its call. Before the turn of those behind it.
    virtual void OnSkipped(uint64_t domain, uint64_t number) = 0;
    // OK: the domain's component, or group, lives here, or is not there yet.
    virtual absl::Status WhyGone(uint64_t domain) const = 0;
  };
  // All outlive it.
  Domains(const Services* services, const LostPeers* lost, Listener* listener)
      : services_(*services), lost_(*lost), listener_(*listener) {}

  // A call has come, with its place in the order. REQUIRES: its component is not gone.
  void Arrive(rpc::ProcessId from, const Order& order, const CallPtr& call);
  void OnSkip(rpc::ProcessId from, const SkipMessage& skip);
  void OnNumberRequest(rpc::ProcessId from, const NumberRequest& request);
  void OnRecalled(rpc::ProcessId from, const RecalledMessage& recalled);
  void OnLastQuery(rpc::ProcessId from, const LastQuery& query);
  void OnLastReply(const LastReply& reply);
  // It is among the lost already.
  void OnLost(rpc::ProcessId peer);
  // Nobody can call there any more: those who have numbers of it, or wait for some, are told.
  void Forget(uint64_t domain, const absl::Status& why);
  void Clear() { domains_.clear(); }

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
