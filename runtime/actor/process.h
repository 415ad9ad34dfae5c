// One process of a job: its parts, put together, started and stopped.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor/accounts.h"
#include "runtime/actor/binder.h"
#include "runtime/actor/call_maker.h"
#include "runtime/actor/caller.h"
#include "runtime/actor/communicators.h"
#include "runtime/actor/component_ref.h"
#include "runtime/actor/constructions.h"
#include "runtime/actor/group_calls.h"
#include "runtime/actor/host.h"
#include "runtime/actor/keeper.h"
#include "runtime/actor/local/local_calls.h"
#include "runtime/actor/lost_makers.h"
#include "runtime/actor/lost_peers.h"
#include "runtime/actor/object_exchange.h"
#include "runtime/actor/process_store.h"
#include "runtime/actor/router.h"
#include "runtime/actor/services.h"
#include "runtime/actor/user_api.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"

namespace twinkle::actor {

// The surroundings with which a process joins its job. But for the transport, processes that are in one share them.
struct Surroundings {
  std::shared_ptr<base::Executor> executor;
  std::shared_ptr<Directory> directory;
  std::vector<std::shared_ptr<const void>> kept;  // for as long as the process is there: what the transport is made on
  std::unique_ptr<rpc::Transport> transport;      // the process starts it
  object::FailureLog::Notifier notifier;
  std::shared_ptr<Placement> placement;
  std::shared_ptr<rpc::Traffic> traffic = std::make_shared<rpc::Traffic>();  // what crosses is counted there
  // Whether the transport takes and delivers frames without holding a lock: then the state of calls and objects moves
  // in whichever thread has something for it (base::SharedQueue), and a call costs two hops less.
  bool share_service = false;
};

// A process of a job. What it calls, hosts and owns is known to its parts. Owned by the session (or worker) and by the
// handles made from it. Thread-safe, but for what says otherwise. Stop ends what is under way, Join the threads; the
// destructor does both.
class Process final : public rpc::Receiver, public Binder, public std::enable_shared_from_this<Process> {
 public:
  // Starts a process. Null: there are no threads for it (base::NoThread).
  static std::shared_ptr<Process> Start(ProcessOptions options, Surroundings surroundings);
  ~Process() override;

  // Binder
  std::shared_ptr<object::ObjectStore> store() override { return {shared_from_this(), &parts_->store}; }
  std::shared_ptr<UserApi> api() override { return {shared_from_this(), &parts_->api}; }
  std::shared_ptr<const internal::ComponentRef> Bind(const ComponentInfo& component) override {
    return parts_->group_calls.Bind(component);
  }

  // ---- for the job
  const ProcessOptions& options() const { return services_.options; }
  Directory& directory() const { return *services_.directory; }
  object::FailureLog& failures() const { return *services_.failures; }
  // The accounts of this process and of others.
  Accounts& accounts() const { return parts_->accounts; }
  // The objects that the process owns. Sizes may be read in any thread, the rest on the service queue.
  const object::ObjectTable& objects() const { return parts_->objects.table(); }
  const rpc::Traffic& traffic() const { return *services_.traffic; }
  // How many things the process remembers of components and of other processes, dead or alive. On the service queue.
  size_t remembered() const;

  // ---- its calls under way
  // The session's end has begun. Calls that threads make outside of methods are refused from now on, with Cancelled,
  // which is no failure. Calls made before go on, and so does what methods make for them.
  void CloseToThreads() { parts_->caller->CloseToThreads(); }
  // Blocks until no call is under way, and all is kept that Put is to keep. False: not so by the deadline.
  bool WaitForCalls(base::Instant deadline) const;
  // The two halves of WaitForCalls, for several processes side by side; see Keeper::WhenKept.
  bool WaitAllSettled(base::Instant deadline) const { return parts_->caller->pending().WaitAllSettled(deadline); }
  std::shared_ptr<base::Event> WhenKept() const { return parts_->keeper.WhenKept(); }
  std::vector<std::string> CallsUnderWay(size_t most) const { return parts_->caller->pending().Some(most); }

  // ---- its end
  // Peers that end from now on have not failed.
  void BeginEnd() { services_.life.Reach(Life::Stage::kEnding); }
  // Closes the transport and the service queue; calls under way fail with `why`. Several processes can be told before
  // one is waited for. Idempotent.
  void Stop(const absl::Status& why);
  // Destroys objects on their lanes and ends threads. A thread in user code is abandoned after the deadline, and the
  // result is false. Idempotent. REQUIRES: Stop was called, and this is no thread of the process.
  bool Join(base::Instant deadline);
  // Stop and Join.
  bool Shutdown(const absl::Status& why, base::Instant deadline);

  // rpc::Receiver
  void OnFrame(rpc::ProcessId from, rpc::Stream stream, rpc::Frame frame) override;
  void OnLost(rpc::ProcessId peer, const absl::Status& why) override;

 private:
  // The parts. Each needs none but those before it.
  struct Parts {
    Parts(const Services* services, std::shared_ptr<const internal::RankFacts> facts);

    LostPeers lost;
    ObjectExchange objects;
    ProcessStore store;
    CollectiveWire collective_wire;
    collective::Collectives collectives;
    const std::shared_ptr<Host> host;
    const std::shared_ptr<Caller> caller;
    Accounts accounts;
    Constructions constructions;
    LostMakers lost_makers;
    // What user code reaches.
    Keeper keeper;
    CallMaker maker;
    GroupCalls group_calls;
    LocalCalls local_calls;
    Communicators communicators;
    UserApi api;
    // What messages reach.
    Router router;
  };

  Process(ProcessOptions options, Surroundings surroundings, std::unique_ptr<rpc::Transport> transport);
  bool HasThreads() const;

  const Surroundings surroundings_;
  Services services_;
  std::unique_ptr<base::TaskQueue> service_;
  std::unique_ptr<base::TaskQueue> collector_;
  std::unique_ptr<base::TaskQueue> notifier_;
  const std::unique_ptr<rpc::Transport> transport_;
  absl::Status why_stopped_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace twinkle::actor
