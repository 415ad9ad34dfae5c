// One process of a job as the runtime sees it: what it calls, what it hosts, what it owns.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/accounts.h"
#include "runtime/actor/binder.h"
#include "runtime/actor/caller.h"
#include "runtime/actor/component_ref.h"
#include "runtime/actor/constructions.h"
#include "runtime/actor/host.h"
#include "runtime/actor/local_components.h"
#include "runtime/actor/lost_makers.h"
#include "runtime/actor/lost_peers.h"
#include "runtime/actor/object_exchange.h"
#include "runtime/actor/process_store.h"
#include "runtime/actor/router.h"
#include "runtime/actor/services.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {

// What a process joins its job with; but for the transport, shared with the other processes where these are in one.
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

// What New is given besides the constructor's arguments.
struct NewOptions {
  std::string group;  // empty: an object of this process
  std::optional<DeviceMesh> mesh;
  std::string instance_id;
  std::string name;
  std::optional<bool> sync;
  std::optional<bool> lazy_collect;
  bool local = false;  // an object of this process, whatever the group
};

// The member functions of the first group are called by user threads, from anywhere in the program; the others are the
// runtime's own. Thread-safe. Owned by the session (or worker) and by the handles made from it.
class Process final : public rpc::Receiver,
                      public Binder,
                      public internal::CallOwner,
                      public std::enable_shared_from_this<Process> {
 public:
  // Null: there are no threads for it (base::NoThread).
  static std::shared_ptr<Process> Start(ProcessOptions options, Surroundings surroundings);
  ~Process() override;

  // ---- for user code
  // Returns at once, unless the call runs in this thread (objects of this process) or is `sync`.
  std::shared_ptr<internal::LazyCore> Call(const std::shared_ptr<const internal::ComponentRef>& component,
                                           const internal::MethodInfo& method, std::optional<int> rank,
                                           std::vector<internal::CallArgument> arguments, internal::CallSite site,
                                           const internal::Type* collected, internal::AnswerOps answer);
  absl::StatusOr<std::shared_ptr<const internal::ComponentRef>> New(const internal::ClassInfo& class_info,
                                                                    const internal::ConstructorInfo& constructor,
                                                                    const NewOptions& options,
                                                                    std::vector<internal::CallArgument> arguments,
                                                                    internal::CallSite site);
  absl::StatusOr<std::shared_ptr<const internal::ComponentRef>> Find(absl::string_view name,
                                                                     const internal::ClassInfo& class_info);
  std::shared_ptr<internal::LazyCore> Put(const internal::Type& type, std::shared_ptr<void> value,
                                          internal::AnswerOps answer, internal::CallSite site);
  absl::Status WaitReady(const internal::ComponentRef& component, absl::Duration limit, internal::CallSite site);
  absl::Status ReleaseComponent(const internal::ComponentRef& component, internal::CallSite site);
  void Kill(const internal::ComponentRef& component, internal::CallSite site);

  // ---- for the session
  // The session's end has begun. What threads make outside of methods is refused from now on, with Cancelled, which is
  // no failure; what they had made before goes on, and so does what methods make for it.
  void CloseToThreads() { caller_->CloseToThreads(); }
  // Waits for the calls under way, and for what Put is to keep; false at the deadline.
  bool WaitForCalls(base::Instant deadline) const;
  // Its two halves: for several processes side by side. The event is set when all that Put was given before is kept;
  // null: it is, or this process has ended.
  bool WaitAllSettled(base::Instant deadline) const { return caller_->pending().WaitAllSettled(deadline); }
  std::shared_ptr<base::Event> WhenKept() const;
  std::vector<std::string> CallsUnderWay(size_t most) const { return caller_->pending().Some(most); }
  // What it and others say of the calls they have made, and word of losses.
  Accounts& accounts() { return *accounts_; }
  // Calls under way fail with `why`, objects are destroyed on their lanes, threads end; one in user code is abandoned
  // after the deadline. Not from a thread of the process. Idempotent. False: one was abandoned.
  bool Shutdown(const absl::Status& why, base::Instant deadline);
  // Its parts, so that several processes can be told before one is waited for. BeginEnd: peers that end from now on
  // have not failed.
  void BeginEnd() { ending_ = true; }
  void Stop(const absl::Status& why);
  bool Join(base::Instant deadline);
  bool ended() const { return ended_; }

  // ---- for the rest of the runtime
  const ProcessOptions& options() const { return services_.options; }
  // Where code that runs outside calls is.
  const std::shared_ptr<const internal::RankFacts>& facts() const { return facts_; }
  Directory& directory() const { return *surroundings_.directory; }
  object::FailureLog& failures() const { return *services_.failures; }
  base::JobKey job() const { return services_.options.job; }
  // What it owns. Sizes from any thread, the rest on the service queue.
  const object::ObjectTable& objects() const { return exchange_->table(); }
  const rpc::Traffic& traffic() const { return *services_.traffic; }
  // How many things it remembers of components and of other processes, dead or alive. On the service queue.
  size_t remembered() const {
    return caller_->remembered() + host_->remembered() + lost_.size() + constructions_.size();
  }

  // Binder
  std::shared_ptr<object::ObjectStore> store() override { return {shared_from_this(), store_.get()}; }
  std::shared_ptr<Process> process() override { return shared_from_this(); }
  std::shared_ptr<const internal::ComponentRef> Bind(const ComponentInfo& component) override;
  // rpc::Receiver
  void OnFrame(rpc::ProcessId from, rpc::Stream stream, rpc::Frame frame) override;
  void OnLost(rpc::ProcessId peer, const absl::Status& why) override;
  // internal::CallOwner
  void OnCallSettled(uint64_t call) override;
  void CancelCall(uint64_t call, const std::string& what) override;

 private:
  Process(ProcessOptions options, Surroundings surroundings, std::unique_ptr<rpc::Transport> transport);
  bool HasThreads() const;

  std::shared_ptr<OutgoingCall> NewCall(Operation operation, const internal::ComponentRef& component,
                                        internal::CallSite site);
  internal::LazyOrigin OriginFor(const OutgoingCall& call, const internal::Type* collected, internal::AnswerOps answer);
  void Submit(std::shared_ptr<OutgoingCall> call);
  bool IsTooLate() const;  // for the calling thread to make something: see CloseToThreads
  CallContext LocalContext(const LocalObject& local);
  // Why calls on the object fail whose group has ended; null: it has not, or the session has, which says so itself.
  const absl::Status* WhyAborted(const LocalObject& local) const;
  internal::Outcome RunLocal(LocalObject& local, OutgoingCall& call, std::span<internal::Argument> arguments,
                             bool* killed);
  void CallLocal(const internal::ComponentRef& component, OutgoingCall& call);
  bool IsOwnObject(const ComponentInfo& component, std::optional<int> rank) const;
  void CallSelf(const std::shared_ptr<OutgoingCall>& call);
  absl::StatusOr<std::shared_ptr<const internal::ComponentRef>> NewLocal(const internal::ClassInfo& class_info,
                                                                         const internal::ConstructorInfo& constructor,
                                                                         const NewOptions& options,
                                                                         std::vector<internal::CallArgument>& arguments,
                                                                         internal::CallSite site);
  std::shared_ptr<internal::ComponentRef> DescribeLocal(const internal::ClassInfo& class_info,
                                                        const NewOptions& options);
  internal::Outcome ConstructLocal(const LocalObject& local, const internal::ConstructorInfo& constructor,
                                   std::vector<internal::CallArgument>& arguments);
  // Makes the value an object of this process, to which `core` will refer. ResourceExhausted. May run the user's code.
  absl::Status Keep(const std::shared_ptr<internal::LazyCore>& core, std::shared_ptr<const void> value, uint64_t bytes,
                    const CallFacts& maker);
  void ShareLargeArguments(OutgoingCall& call);
  bool IsAsMade(const internal::ComponentRef& component) const;
  absl::StatusOr<ComponentInfo> Describe(const internal::ClassInfo& class_info, const NewOptions& options);

  const Surroundings surroundings_;
  Services services_;
  std::shared_ptr<const internal::RankFacts> facts_;  // also of the contexts that user code keeps
  std::unique_ptr<base::TaskQueue> service_;
  std::unique_ptr<base::TaskQueue> collector_;
  std::unique_ptr<base::TaskQueue> notifier_;
  const std::unique_ptr<rpc::Transport> transport_;
  std::atomic<uint64_t> next_id_ = 1;
  std::atomic<size_t> keeping_ = 0;  // values that Keep has posted to the service queue
  std::atomic<bool> ending_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> joined_ = false;
  absl::Status why_ended_;

  LocalComponents locals_;

  Constructions constructions_;
  LostMakers lost_makers_;

  // Confined to the service queue.
  LostPeers lost_;
  std::shared_ptr<Caller> caller_;
  std::unique_ptr<ObjectExchange> exchange_;
  std::unique_ptr<ProcessStore> store_;  // for any thread
  std::shared_ptr<Host> host_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Router> router_;
};

}  // namespace twinkle::actor
