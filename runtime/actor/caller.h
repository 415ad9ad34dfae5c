// The calls that a process makes: from the outbox, where they wait for their arguments in order, to their last reply.
// Caller is one class in two files: caller.cc takes a call from its caller to its ranks, and their replies back;
// caller_ends.cc settles it, and ends it where that is not by its replies.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/actor/departures.h"
#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/own_calls.h"
#include "runtime/actor/pending_calls.h"
#include "runtime/actor/services.h"
#include "runtime/base/clock.h"

namespace twinkle::actor {

// Sends the calls of a process and settles their lazies. Confined to the process's service queue, but for what says
// otherwise. A call that cannot be planned or sent, or whose rank is lost, fails; FailAll ends all of them. Invariants:
//  CA1 calls on one component leave in the order in which they were submitted, whatever they wait for;
//  CA2 a call that has a number is sent, or its number is skipped, on every process of its domain;
//  CA3 a call's arguments are held until every rank has replied or is lost;
//  CA4 every submitted call settles, and leaves `calls_` once no rank owes a reply;
//  CA5 a call that was made in a method ends with it, when that is cancelled, and waits no longer than that's caller;
//  CA6 once this process has killed a group, its calls there, under way and later, are Aborted, whatever the ranks say.
class Caller : public internal::CallOwner, private Departures::Listener, public std::enable_shared_from_this<Caller> {
 public:
  // `own_calls`: runs the calls to this process's own objects.
  Caller(const Services* services, OwnCalls* own_calls)
      : services_(*services),
        own_calls_(*own_calls),
        pending_(
            std::make_unique<PendingCalls>(services_.options.max_pending_calls, services_.options.spill.cap_bytes)),
        departures_(services, this) {}

  // Counts a call as pending. Thread-safe: before Submit, in the thread that makes the call. Errors as
  // PendingCalls::Add.
  absl::Status Announce(const OutgoingCall& call, WithoutRoom without_room, MadeIn made_in) {
    return pending_->Add(call.id, call.core, without_room, made_in);
  }
  // Refuses calls that are made outside of methods from now on. Thread-safe.
  void CloseToThreads() { pending_->CloseToThreads(); }
  // Puts a call into its caller's outbox.
  static void Submit(std::shared_ptr<OutgoingCall> call);
  // internal::CallOwner, for the call's lazy. Thread-safe.
  void OnCallSettled(uint64_t call) override { pending_->Remove(call); }
  void CancelCall(uint64_t call, const std::string& what) override;
  // Cancels a call: its caller hears `why`. Ranks that have not begun skip it, the others are told.
  void Cancel(uint64_t call, const absl::Status& why);
  // Cancels all calls that were made in the method of `parent` and have not settled (CA5).
  static void CancelMadeIn(RunningCall& parent, const absl::Status& why);

  // This process kills the group of these workers (CA6). Its calls there end with `why`, which is as wished, and later
  // ones fail with it.
  void OnKilled(const std::vector<rpc::ProcessId>& workers, const absl::Status& why);

  void OnBegun(const BegunMessage& begun);
  void OnReply(rpc::ProcessId from, ReplyMessage&& reply);
  void OnGrant(const NumberGrant& grant) { departures_.OnGrant(grant); }
  void OnRecall(rpc::ProcessId from, const RecallMessage& recall) { departures_.OnRecall(from, recall); }
  void OnReleased(const ReleasedMessage& released) { departures_.OnReleased(released); }
  void OnLost(rpc::ProcessId peer, const absl::Status& why);

  // Fails all calls under way with `why`.
  void FailAll(const absl::Status& why);

  // How many things the caller remembers of components, dead or alive.
  size_t remembered() const { return departures_.size() + outboxes_.size() + calls_.size(); }

  // The calls that have not settled. Thread-safe.
  const PendingCalls& pending() const { return *pending_; }

 private:
  using CallPtr = std::shared_ptr<OutgoingCall>;

  using Causes = std::vector<std::shared_ptr<object::Failure>>;

  // caller.cc: the outbox, sending, replies.
  void Enter(CallPtr call);
  void Pump(uint64_t component);
  bool TakeTurn(const CallPtr& call);
  void PlanRelaysOf(OutgoingCall& call);
  void Depart(const CallPtr& call, const absl::Status& plan);
  void SendOwn(const CallPtr& call);
  void OnOwnSettled(uint64_t id);
  bool ConstructionFailed(const CallPtr& call);
  void PlanOnCollector(const CallPtr& call);
  void OnPlan(const CallPtr& call, const absl::Status& plan);
  bool ArgumentsReady(const CallPtr& call);
  void Watch(const CallPtr& call);
  void OnDeparture(const CallPtr& call, uint64_t number, uint64_t after) override;
  void OnNoDeparture(const CallPtr& call, const absl::Status& why) override;
  CallMessage MessageFor(OutgoingCall& call, size_t index) const;
  std::optional<Lineage> LineageOf(const OutgoingCall& call) const;
  CallFacts FactsOf(const OutgoingCall& call, size_t index) const;
  // Takes the answer that worker `index` owed, or the reason for which it has failed or will not come.
  void OnAnswerOf(const CallPtr& call, size_t index, absl::StatusOr<ReplyMessage> answer);
  std::shared_ptr<const object::HeldObject> Hold(const OutgoingCall& call, size_t index);
  void Succeed(const CallPtr& call);
  void EndIteration(const CallPtr& call, const std::vector<int>& still_had);

  // caller_ends.cc
  void Leave(OutgoingCall& call);
  // Settles a call. The causes of its failure are its component's, where none are given.
  void Settle(const CallPtr& call, const absl::Status& status);
  void Settle(const CallPtr& call, const absl::Status& status, Causes causes);
  Causes CausesOf(const OutgoingCall& call) const;
  void TellRanks(const CallPtr& call, const absl::Status& why, bool ask = false);
  void EndWithParent(const CallPtr& call, const absl::Status& why);
  // Ends a call early: its caller hears `status`, the ranks `why`.
  void EndEarly(const CallPtr& call, const absl::Status& status, const absl::Status& why);
  void EndEarly(const CallPtr& call, const absl::Status& status, const absl::Status& why, Causes causes);
  absl::Status KilledStatus(const OutgoingCall& call, const absl::Status& why) const;
  void StartTimer(const CallPtr& call);
  void ArmTimer();
  void OnTimer(base::Instant at);
  void Expire(const CallPtr& call);

  const Services& services_;
  OwnCalls& own_calls_;
  const std::unique_ptr<PendingCalls> pending_;
  absl::flat_hash_map<uint64_t, CallPtr> calls_;                 // by id
  absl::flat_hash_map<uint64_t, std::deque<CallPtr>> outboxes_;  // by component
  Departures departures_;
  absl::flat_hash_map<rpc::ProcessId, absl::Status> killed_;  // by this process
  std::set<std::pair<base::Instant, uint64_t>> deadlines_;    // of calls that are sent and have not settled
  base::Instant timer_at_ = base::kForever;                   // the next timer's
  uint64_t next_relay_ = 1;
};

}  // namespace twinkle::actor
