// The remote objects of a process, and the calls that run on them. Host is one class in four files: host.cc takes a
// call from its arrival to its answer; host_arguments.cc gets the arguments that are elsewhere; host_components.cc is
// about turns, and components that are not there yet, or not any more; host_ends.cc ends calls before their methods
// end.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/actor/domains.h"
#include "runtime/actor/gone_components.h"
#include "runtime/actor/incoming_call.h"
#include "runtime/actor/lane.h"
#include "runtime/actor/lost_peers.h"
#include "runtime/actor/object_exchange.h"
#include "runtime/actor/own_calls.h"
#include "runtime/actor/services.h"
#include "runtime/base/clock.h"
#include "runtime/collective/collectives.h"

namespace twinkle::actor {

// Runs the calls that come to a process, on the objects that it has. Confined to the process's service queue, but for
// what says otherwise. A call that fails is answered with its status; nothing here fails as a whole but the group
// (Abort). Stop ends all calls, and Shutdown the objects. Invariants:
//  HO1 every call that arrives is answered once, whatever becomes of it;
//  HO2 calls reach their lane in the domain's order (Domains) and begin there in it (Lane);
//  HO3 once the group is aborted nothing begins any more, and all that was or comes is answered with Aborted;
//  HO4 a call that has ended for its caller is cancelled with all that was called in it, and what waits in it goes on.
class Host : public OwnCalls, private Domains::Listener, public std::enable_shared_from_this<Host> {
 public:
  Host(const Services* services, ObjectExchange* objects, const LostPeers* lost, collective::Collectives* collectives)
      : services_(*services),
        objects_(*objects),
        lost_(*lost),
        collectives_(*collectives),
        domains_(services, lost, this) {}

  // The order of calls, for what others say of it.
  Domains& domains() { return domains_; }

  void OnCall(rpc::ProcessId from, CallMessage&& message);
  void OnCancel(rpc::ProcessId from, const CancelMessage& cancel);
  void OnGone(const GoneMessage& gone);
  void OnOrphaned(const OrphanedMessage& orphaned);
  // A peer is lost; with OK it left as it should. The end of a process of this one's own group is the group's.
  void OnLost(rpc::ProcessId peer, const absl::Status& why);

  void OnOwnCall(OutgoingCall& call) override;
  void OnOwnCancel(uint64_t call, const absl::Status& why) override;

  // Thread-safe: the component's object if the calling thread is its lane, so that it may be called at once.
  std::shared_ptr<Instance> InstanceInLane(uint64_t component) const;
  // Thread-safe: the component's object here; null: there is none.
  std::shared_ptr<const Instance> Find(uint64_t component) const;
  // Whether the call that ranks of a communicator are in is over here, or never was.
  bool IsOver(const collective::Packet& packet) const;
  // Thread-safe: whether there is an object of that component here.
  bool Has(uint64_t component) const;
  // How many things the host remembers of components, dead or alive.
  size_t remembered() const { return domains_.size() + orphans_.size() + gone_.size(); }

  // Ends the group's part here (HO3): calls are answered with Aborted, lanes in user code are left to themselves.
  void Abort(const absl::Status& why);
  // Tells all calls under way that they are cancelled. REQUIRES: the service queue is closed.
  void Stop(const absl::Status& why);
  // Destroys the objects on their lanes and ends the lanes. A lane that is in user code after the deadline is
  // abandoned, and the result is false. Blocks. REQUIRES: the service queue is closed, and this is none of its threads.
  bool Shutdown(base::Instant deadline);

 private:
  using CallPtr = std::shared_ptr<IncomingCall>;
  struct Orphans {
    rpc::ProcessId maker = 0;  // of the component
    std::vector<CallPtr> calls;
  };

  // host.cc
  void AddInstance(const CallPtr& call);
  // The lane of an instance, which is made if it is the first there.
  Lane* LaneFor(const Instance& instance) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On the lane: runs a call, or passes one by that is skipped, and has it finished on the service queue.
  void Run(const CallPtr& call);
  internal::Outcome OutcomeOf(IncomingCall& call);
  static bool Begins(IncomingCall& call);
  void SettleOwn(const IncomingCall& call, internal::Outcome outcome);
  // Has the result kept, or the call fail if there is no room for it. Blocks, on the lane.
  void KeepResult(IncomingCall& call, std::shared_ptr<void> value);
  void Finish(const CallPtr& call);
  // Takes a call off the list, and with it what others would have had of its arguments. Every answer begins with it
  // (HO1). False: the call is answered already.
  bool Retire(const CallPtr& call);
  // Answers a call that has run.
  void SendResult(const CallPtr& call);
  // Answers a call that does not run.
  void AnswerUnrun(const CallPtr& call, const absl::Status& status);
  // Answers a call for which there is no thread, so that there was none for the object either.
  void AnswerWithoutThread(const CallPtr& call, const absl::Status& why);
  void Forget(const Instance& instance);
  void RemoveInstance(const Instance& instance);

  // host_arguments.cc
  void BeginArguments(const CallPtr& call);
  void BeginPieces(const CallPtr& call, size_t argument, const PlannedArgument& planned);
  // `whole`: of what it is a piece of.
  void BeginPiece(const CallPtr& call, size_t argument, size_t index, const codec::Type& whole, const WirePiece& piece);
  void BeginRelays(IncomingCall& call);
  void DropRelays(const IncomingCall& call);
  void BeginLazy(const CallPtr& call, size_t argument, const LazyArgument& lazy);
  void ArgumentDone(const CallPtr& call, const absl::Status& status);

  // host_components.cc; the first three are Domains::Listener.
  void OnTurn(const CallPtr& call) override;
  void OnSkipped(uint64_t domain, uint64_t number) override;
  absl::Status WhyGone(uint64_t domain) const override;
  void Orphan(const CallPtr& call);
  void AdoptOrphans(uint64_t component);
  // Removes what a construction left here that never comes, or did not come to all ranks.
  void Unmake(uint64_t component, const absl::Status& why);
  // Unmakes a component whose maker is gone, which nobody finds any more.
  void UnmakeForGood(uint64_t component, const absl::Status& why);
  // Unmakes the components that calls wait for and that `maker`, which is gone, was to make.
  void UnmakeOf(rpc::ProcessId maker, const absl::Status& why);
  // Its method does not run here any more, or never will.
  void TellOver(const IncomingCall& call, const absl::Status& outcome);
  std::shared_ptr<Instance> MadeBy(uint64_t domain, uint64_t number) const;
  // Forgets the order of a component that nobody can call here any more. Calls that wait for their turn are answered.
  void EndOrder(uint64_t component, const absl::Status& why);

  // host_ends.cc
  void AbortGroup(const absl::Status& why);
  // Ends the call for its caller. Its method is told, or does not begin; a method that goes on too long ends the group.
  void CancelCall(const CallPtr& call, const absl::Status& why);
  // Wakes and tells the call's method (HO4). What was called in it is cancelled, too.
  void Tell(const IncomingCall& call, const absl::Status& why);
  // Answers the call unless it has begun. A call that is skipped never begins.
  void Skip(const CallPtr& call, const absl::Status& why);
  // The reason for which a call ended that nobody had begun.
  static absl::Status NotBegun(const absl::Status& why);
  void OrphanCalls(rpc::ProcessId caller, const absl::Status& why);

  const Services& services_;
  ObjectExchange& objects_;
  const LostPeers& lost_;
  collective::Collectives& collectives_;
  Domains domains_;
  absl::flat_hash_map<std::pair<rpc::ProcessId, uint64_t>, CallPtr> calls_;    // not answered
  std::map<std::pair<rpc::ProcessId, uint64_t>, absl::Status> early_cancels_;  // of calls that have not arrived
  std::deque<std::pair<rpc::ProcessId, uint64_t>> early_order_;                // oldest first
  std::map<uint64_t, Orphans> orphans_;  // by component, whose construction has not arrived
  GoneComponents gone_;
  absl::Status aborted_;

  mutable base::Mutex mutex_;  // guards the maps, not what is in them
  absl::flat_hash_map<uint64_t, std::shared_ptr<Instance>> instances_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, std::shared_ptr<Lane>> lanes_ ABSL_GUARDED_BY(mutex_);  // 0: the shared one
};

}  // namespace twinkle::actor
