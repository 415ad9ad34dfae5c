// The calls that a process makes: from the outbox, where they wait for their arguments in order, to their last reply.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// Confined to the process's service queue, but for what says otherwise. Invariants:
//  C1 calls on one component leave in the order in which they were submitted, whatever they wait for;
//  C2 a call that has a number is sent, or its number is skipped, on every process of its domain;
//  C3 a call's arguments are held until every rank has replied or is lost;
//  C4 every submitted call settles, and leaves `calls_` once no rank owes a reply;
//  C5 no more method calls are unsettled than the process may have pending.
class Caller : public std::enable_shared_from_this<Caller> {
 public:
  // Hands a call to this process's own object on; called on the service queue.
  using DeliverSelf = std::function<void(const std::shared_ptr<OutgoingCall>&)>;

  // Tells such a call that it has ended for its caller; likewise.
  using CancelSelf = std::function<void(uint64_t call, const absl::Status& why)>;

  Caller(const Services* services, DeliverSelf deliver_self, CancelSelf cancel_self)
      : services_(*services), deliver_self_(std::move(deliver_self)), cancel_self_(std::move(cancel_self)) {}

  // Thread-safe: before Submit, in the thread that makes the call, so that WaitAllSettled knows of it. With too many
  // calls pending it blocks until one has settled, if it may; else ResourceExhausted.
  absl::Status Announce(const std::shared_ptr<OutgoingCall>& call, bool may_block);
  void Submit(std::shared_ptr<OutgoingCall> call);
  // The caller hears `why`; ranks that have not begun skip the call, the others are told.
  void Cancel(uint64_t call, const absl::Status& why);

  void OnReply(rpc::ProcessId from, ReplyMessage reply);
  void OnGrant(const NumberGrant& grant);
  void OnRecall(rpc::ProcessId from, const RecallMessage& recall);
  void OnLost(rpc::ProcessId peer, const absl::Status& why);

  // All calls under way fail with `why`.
  void FailAll(const absl::Status& why);

  // Thread-safe. Blocks until every submitted call has settled (true) or the deadline.
  bool WaitAllSettled(absl::Time deadline) const;
  // Thread-safe. What some of the calls under way are.
  std::vector<std::string> UnderWay(size_t most) const;

 private:
  using CallPtr = std::shared_ptr<OutgoingCall>;
  struct Domain {
    std::deque<CallPtr> waiting;  // planned calls, in order
    bool exclusive = false;
    uint64_t next = 0;  // while exclusive
    uint64_t last = 0;  // the last number used
    std::deque<uint64_t> granted;
    std::vector<rpc::ProcessId> workers;
  };

  void OnSettled(uint64_t call);
  // Outbox.
  void Pump(uint64_t component);
  void SendSelf(const CallPtr& call);
  bool ConstructionFailed(const CallPtr& call);
  bool Planned(const CallPtr& call);
  bool ArgumentsReady(const CallPtr& call);
  void Watch(const CallPtr& call);
  // Numbers.
  void PumpDomain(uint64_t id);
  bool TakeNumber(Domain& domain, uint64_t* number);
  void RequestNumbers(uint64_t id, Domain& domain);
  void FailWaiting(Domain& domain, const absl::Status& why);
  void ReturnSpare(uint64_t id, Domain& domain);
  // Sending.
  void Send(const CallPtr& call, uint64_t number, uint64_t after);
  CallMessage MessageFor(const OutgoingCall& call, size_t index) const;
  void StartTimer(const CallPtr& call);
  // Ending.
  void Settle(const CallPtr& call, const absl::Status& status);
  void Succeed(const CallPtr& call);
  void EndIteration(const CallPtr& call, const std::vector<int>& still_had);
  void TellRanks(const CallPtr& call, const absl::Status& why);
  void Missing(const CallPtr& call, size_t index, const absl::Status& status, ReplyMessage reply);
  std::shared_ptr<const object::HeldObject> Hold(const OutgoingCall& call, size_t index);
  CallFacts FactsOf(const OutgoingCall& call, size_t index) const;

  const Services& services_;
  const DeliverSelf deliver_self_;
  const CancelSelf cancel_self_;
  absl::flat_hash_map<uint64_t, CallPtr> calls_;                 // by id
  absl::flat_hash_map<uint64_t, std::deque<CallPtr>> outboxes_;  // by component
  absl::flat_hash_map<uint64_t, Domain> domains_;

  mutable base::Mutex mutex_;
  mutable base::CondVar all_settled_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<internal::LazyCore>> unsettled_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<base::Event>> blocked_ ABSL_GUARDED_BY(mutex_);  // threads in Announce
};

}  // namespace twinkle::actor
