// The order in which the calls of a process leave: for each domain, those that are planned, and the numbers that the
// domain's sequencer has granted this process. The counterpart of domains.h, where these calls arrive.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

// Lets planned calls leave in their domains' orders. A call of several ranks needs a number; a call of a single rank
// has none, and leaves after its caller's last numbered one. Confined to the process's service queue. Calls whose
// sequencer is gone are given up (OnNoDeparture); Clear drops all. Invariants:
//  DE1 the calls of a domain leave in the order in which they were added;
//  DE2 a number that was granted leaves with one call, or is skipped on every process of its domain.
class Departures {
 public:
  using CallPtr = std::shared_ptr<OutgoingCall>;
  // The listener sends the calls. It must not call back.
  class Listener {
   public:
    virtual ~Listener() = default;
    // The call's turn has come, with its number (0: it needs none) and the last one that left before it.
    virtual void OnDeparture(const CallPtr& call, uint64_t number, uint64_t after) = 0;
    // The call's turn will never come, because its domain has nobody any more who grants numbers.
    virtual void OnNoDeparture(const CallPtr& call, const absl::Status& why) = 0;
  };
  // `services` and `listener` must outlive the departures.
  Departures(const Services* services, Listener* listener) : services_(*services), listener_(*listener) {}

  // Adds a call that is planned (kReady). It leaves at once if it has nothing to come after; otherwise Pump lets it go.
  void Add(const CallPtr& call);
  // Lets those calls of the domain go whose turn has come, and drops those that have settled meanwhile.
  void Pump(uint64_t domain);

  void OnGrant(const NumberGrant& grant);
  void OnRecall(rpc::ProcessId from, const RecallMessage& recall);
  void OnReleased(const ReleasedMessage& released);
  void OnLost(rpc::ProcessId peer, const absl::Status& why);
  void Clear() { domains_.clear(); }

  // How many domains something is remembered of.
  size_t size() const { return domains_.size(); }

 private:
  struct Numbers {
    uint64_t first;
    uint64_t end;
  };
  // One domain; there is none while it would say nothing.
  struct Domain {
    std::deque<CallPtr> waiting;  // planned calls, in order
    bool exclusive = false;       // all numbers are this process's until they are recalled
    uint64_t next = 0;            // while exclusive
    uint64_t last = 0;            // the last number used
    uint64_t asked = 0;           // numbers asked for and not granted yet
    std::deque<Numbers> granted;
    std::vector<rpc::ProcessId> workers;  // the first one's process has the sequencer
    bool IsTrivial() const { return waiting.empty() && !exclusive && last == 0 && asked == 0 && granted.empty(); }
  };

  static bool TakeNumber(Domain& domain, uint64_t* number);
  void RequestNumbers(uint64_t id, Domain& domain);
  void ReturnSpare(uint64_t id, Domain& domain);
  void FailWaiting(uint64_t id, const absl::Status& why);

  const Services& services_;
  Listener& listener_;
  absl::flat_hash_map<uint64_t, Domain> domains_;
};

}  // namespace twinkle::actor
