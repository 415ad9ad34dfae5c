#include "runtime/actor/host.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/direct_call.h"
#include "runtime/actor/execution.h"
#include "runtime/actor/registry.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using internal::Outcome;
using CallState = IncomingCall::State;

namespace {

constexpr uint64_t kSharedLane = 0;

// The id of the lane, which is shared in a device group, unless the class asks for several threads.
uint64_t LaneId(const Instance& instance) {
  const bool own_threads = instance.class_info != nullptr && instance.class_info->max_concurrency > 1;
  return instance.info.shared_lane && !own_threads ? kSharedLane : instance.info.id;
}

bool MakesObject(const IncomingCall& call) {
  return call.self == nullptr && call.method != nullptr && call.method->result != nullptr && call.message.keep;
}

}  // namespace

// ---- arrival
void Host::OnCall(rpc::ProcessId from, CallMessage&& message) {
  auto call = std::make_shared<IncomingCall>();
  call->host = this;
  call->caller = from;
  call->refusals = objects_.refusals();
  call->message = std::move(message);
  const CallMessage& m = call->message;
  SetLineage(*call->running, {from, m.call}, m.lineage, *services_.executor);
  call->running->number = m.order.number;
  calls_[{from, m.call}] = call;
  if (const auto early = early_cancels_.find({from, m.call}); early != early_cancels_.end()) {
    call->running->cancellation.Cancel(early->second);
    call->skipped = true;
    early_cancels_.erase(early);
  }
  if (!m.info.empty()) AddInstance(call);
  BeginRelays(*call);
  BeginArguments(call);
  if (call->instance == nullptr && m.order.domain == m.component) {  // its order went with the component
    if (const absl::Status gone = gone_.Why(m.component); !gone.ok()) return AnswerUnrun(call, gone);
  }
  domains_.Arrive(from, m.order, call);
}

void Host::AddInstance(const CallPtr& call) {
  auto instance = std::make_shared<Instance>();
  instance->info = std::move(call->message.info.front());
  instance->number = call->message.order.number;
  instance->class_info = FindClass(instance->info.class_name);
  instance->fits = CheckClass(instance->class_info, instance->info.class_name, instance->info.fingerprint);
  const ProcessOptions& me = services_.options;
  auto object = std::make_shared<ObjectContext>();
  object->api = services_.binder->api();
  object->facts = std::make_shared<const internal::RankFacts>(internal::RankFacts{.rank = me.rank,
                                                                                  .world_size = me.world_size,
                                                                                  .group = me.group,
                                                                                  .mesh = instance->info.mesh,
                                                                                  .devices = me.devices,
                                                                                  .seed = me.seed,
                                                                                  .component = instance->info.id});
  instance->context.object = std::move(object);
  base::MutexLock lock(&mutex_);
  instances_[instance->info.id] = instance;
  instance->context.lane = LaneFor(*instance);
}

Lane* Host::LaneFor(const Instance& instance) {
  const uint64_t id = LaneId(instance);
  std::shared_ptr<Lane>& lane = lanes_[id];
  if (lane != nullptr) return lane.get();
  const int threads = instance.class_info == nullptr ? 1 : instance.class_info->max_concurrency;
  const std::string name = absl::StrCat(services_.options.group, ".", services_.options.rank, ".", id);
  lane = std::make_shared<Lane>(
      services_.executor, name, threads,
      [weak = weak_from_this()](const CallPtr& posted) {
        if (const auto host = weak.lock()) host->Run(posted);
      },
      [this](const CallPtr& refused, const absl::Status& why) { AnswerWithoutThread(refused, why); });
  return lane.get();
}

void Host::OnOwnCall(OutgoingCall& made) {
  const CallPtr call = IncomingCall::Own(made, this, services_.options.id);
  calls_[{services_.options.id, call->message.call}] = call;
  call->arguments_missing = 0;  // its outbox has waited for them
  {
    base::MutexLock lock(&mutex_);
    const auto found = instances_.find(call->message.component);
    if (found != instances_.end()) call->instance = found->second;
  }
  OnTurn(call);
}

// ---- on the lane
void Host::Run(const CallPtr& call) {
  CallContext context = call->instance->context;
  context.call = call->running;
  const ContextScope scope(&context);
  Outcome outcome = OutcomeOf(*call);
  if (call->self != nullptr) {
    SettleOwn(*call, std::move(outcome));
  } else {
    call->reply = ReplyFor(*call, outcome, services_.options);
    if (outcome.value != nullptr) KeepResult(*call, std::move(outcome.value));
  }
  call->arguments.clear();  // in the lane: their destructors are the user's
  // The task is as small as it can be, so that it needs no memory of its own.
  services_.service->Post([call] { call->host->Finish(call); });
}

Outcome Host::OutcomeOf(IncomingCall& call) {
  Outcome outcome;
  if (!Begins(call)) {
    outcome.status = NotBegun(call.running->cancellation.why());
    call.told = true;
    if (call.message.operation == Operation::kConstruct) call.instance->status = outcome.status;
    return outcome;
  }
  if (MakesObject(call)) outcome.status = objects_.AwaitRoom(call.refusals);
  if (!outcome.status.ok()) return outcome;
  return RunOperation(call, services_);
}

// Whether a call begins. It is said first that it does, and Skip says first that it does not: so one of the two sees
// what the other says, or both do. If Skip sees it, it leaves the call, and its answer, to its lane.
bool Host::Begins(IncomingCall& call) {
  call.begun = true;
  if (!call.skipped) return true;
  call.begun = false;
  return false;
}

// Settles the lazy of a call of this process's own.
void Host::SettleOwn(const IncomingCall& call, Outcome outcome) {
  const CallFacts facts = call.Facts(services_.options);
  if (call.method != nullptr) {
    SettleDirect(*call.self, *call.method, std::move(outcome), facts, FailuresOf(call.self_arguments));
  } else if (outcome.status.ok()) {
    call.self->Succeed({});
  } else {
    call.self->Fail(Failed(facts, outcome.status));
  }
}

void Host::KeepResult(IncomingCall& call, std::shared_ptr<void> value) {
  absl::StatusOr<object::Admission> admission = objects_.Admit({call.method->result, value}, call.reply.bytes);
  if (admission.ok()) {
    call.admission = *std::move(admission);
    call.value = std::move(value);
    return;
  }
  ReplyMessage refused;
  refused.call = call.reply.call;
  refused.more = call.reply.more;
  refused.failure = ToWire(Failed(call.Facts(services_.options), admission.status()));
  call.reply = std::move(refused);
}

// ---- the end of a call
void Host::Finish(const CallPtr& call) {
  if (collectives_.busy() || call->reply.failure) {  // who asks later is told how it failed
    TellOver(*call, call->reply.failure ? FromWire(*call->reply.failure) : absl::OkStatus());
  }
  Lane& lane = *call->instance->context.lane;
  // What begins after a construction may take the process with it: by then its reply is on its way (LA5).
  const bool construct = call->message.operation == Operation::kConstruct;
  if (!construct) lane.Done(call);
  SendResult(call);
  if (construct) lane.Done(call);
  // A call that waited behind the destruction kept the lane.
  const uint64_t id = call->instance->info.id;
  if (!Has(id) && !gone_.Why(id).ok()) RemoveInstance(*call->instance);
}

bool Host::Retire(const CallPtr& call) {
  if (std::exchange(call->state, CallState::kDone) == CallState::kDone) return false;
  calls_.erase({call->caller, call->message.call});
  DropRelays(*call);
  return true;
}

void Host::SendResult(const CallPtr& call) {
  if (!Retire(call)) return;  // it was answered when the group was aborted
  if (call->message.operation == Operation::kDestroy) Forget(*call->instance);
  if (call->self != nullptr) return;
  ReplyMessage& reply = call->reply;
  CallMessage& message = call->message;
  if (call->value != nullptr && !lost_.Has(call->caller)) {
    object::Maker maker{call->instance->info.class_name, std::move(message.method), std::move(message.file),
                        message.line};
    reply.object = objects_.Insert({call->method->result, std::move(call->value)}, call->caller, reply.bytes,
                                   std::move(maker), std::move(call->admission));
  }
  services_.Send(call->caller, rpc::Stream::kData, reply);
}

// Forgets a component that was destroyed.
void Host::Forget(const Instance& instance) {
  const ComponentInfo& info = instance.info;
  RemoveInstance(instance);
  gone_.Add(info.id, absl::FailedPreconditionError("the component was released"));
  EndOrder(info.id, gone_.Why(info.id));
  if (info.workers.front() != services_.options.id) return;
  services_.Send(info.maker, rpc::Stream::kControl, ReleasedMessage{info.id, ToWire(gone_.Why(info.id))});
}

// Removes an instance, and its lane unless that still has to answer calls that came later.
void Host::RemoveInstance(const Instance& instance) {
  std::shared_ptr<Lane> lane;  // ends outside the lock
  base::MutexLock lock(&mutex_);
  instances_.erase(instance.info.id);
  const bool in_use = std::any_of(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.second->instance.get() == &instance; });
  if (LaneId(instance) == kSharedLane || in_use) return;
  const auto found = lanes_.find(instance.info.id);
  if (found == lanes_.end() || found->second->busy()) return;  // with calls that are answered already
  lane = std::move(found->second);
  lanes_.erase(found);
}

void Host::AnswerWithoutThread(const CallPtr& call, const absl::Status& why) {
  if (call->message.operation == Operation::kDestroy) {
    AnswerUnrun(call, absl::OkStatus());  // first: what is to be answered yet keeps the lane
    return Forget(*call->instance);
  }
  if (call->message.operation == Operation::kConstruct) call->instance->status = why;
  AnswerUnrun(call, why);
}

void Host::AnswerUnrun(const CallPtr& call, const absl::Status& status) {
  if (!Retire(call)) return;
  if (!call->begun && (collectives_.busy() || !status.ok())) TellOver(*call, status);
  if (call->self != nullptr) return call->self->Fail(Failed(call->Facts(services_.options), status));
  ReplyMessage reply;
  reply.call = call->message.call;
  // A component that is not here has no class to name: then the caller adds what it knows.
  const CallFacts facts = call->Facts(services_.options);
  if (!status.ok()) reply.failure = ToWire(facts.class_name.empty() ? status : Failed(facts, status));
  services_.Send(call->caller, rpc::Stream::kData, reply);
}

std::shared_ptr<Instance> Host::InstanceInLane(uint64_t component) const {
  const CallContext* context = CurrentContext();
  base::MutexLock lock(&mutex_);
  const auto found = instances_.find(component);
  if (context == nullptr || found == instances_.end() || found->second->context.lane != context->lane) return nullptr;
  return found->second;
}

std::shared_ptr<const Instance> Host::Find(uint64_t component) const {
  base::MutexLock lock(&mutex_);
  const auto found = instances_.find(component);
  return found == instances_.end() ? nullptr : found->second;
}

// One that has not arrived is still to come, unless its turn has passed.
bool Host::IsOver(const collective::Packet& packet) const {
  if (calls_.contains({packet.caller, packet.call})) return false;
  const std::shared_ptr<const Instance> instance = Find(packet.key.component);
  if (instance == nullptr) return !gone_.Why(packet.key.component).ok();
  return domains_.HasPassed(instance->info.domain, packet.key.epoch);
}

void Host::TellOver(const IncomingCall& call, const absl::Status& outcome) {
  if (call.message.order.number == 0) return;  // a call on one rank, in which there are no communicators
  collectives_.OnCallOver(call.message.component, call.message.order.number, outcome);
}

bool Host::Has(uint64_t component) const {
  base::MutexLock lock(&mutex_);
  return instances_.find(component) != instances_.end();
}

void Host::Stop(const absl::Status& why) {
  for (const auto& [key, call] : calls_) {
    call->running->cancellation.Cancel(why);
    call->skipped = true;
  }
}

bool Host::Shutdown(base::Instant deadline) {
  bool ended = true;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Instance>> instances;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Lane>> lanes;
  {
    base::MutexLock lock(&mutex_);
    instances.swap(instances_);
    lanes.swap(lanes_);
  }
  for (auto& [id, lane] : lanes) {
    std::vector<std::shared_ptr<Instance>> mine;
    for (const auto& [component, instance] : instances) {
      if (instance->context.lane == lane.get()) mine.push_back(instance);
    }
    if (!lane->Destroy(std::move(mine), deadline)) {
      ended = false;
      base::Log(base::LogLevel::kWarning,
                absl::StrCat("a thread of group '", services_.options.group,
                             "' is still in user code at the session's end and is abandoned"));
    }
  }
  for (const auto& [key, call] : std::exchange(calls_, {})) {
    if (call->self == nullptr) continue;
    call->self->Fail(base::Annotate(base::SessionEnded(), What(call->Facts(services_.options))));
  }
  domains_.Clear();  // calls that waited for their turn hold this process
  orphans_.clear();
  return ended;
}

}  // namespace twinkle::actor
