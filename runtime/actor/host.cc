#include "runtime/actor/host.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/execution.h"
#include "runtime/actor/local_call.h"
#include "runtime/actor/process.h"
#include "runtime/actor/registry.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using internal::LazyCore;
using internal::Outcome;
using internal::ParameterInfo;
using State = IncomingCall::State;

namespace {

constexpr uint64_t kSharedLane = 0;

// Of the lane: shared in a device group, unless the class asks for several threads.
uint64_t LaneId(const Instance& instance) {
  const bool own_threads = instance.class_info != nullptr && instance.class_info->max_concurrency > 1;
  return instance.info.shared_lane && !own_threads ? kSharedLane : instance.info.id;
}

constexpr size_t kMostEarlyCancels = 4096;

bool MakesObject(const IncomingCall& call) {
  return call.self == nullptr && call.method != nullptr && call.method->result != nullptr && call.message.keep;
}

}  // namespace

// ---- arrival
void Host::OnCall(rpc::ProcessId from, CallMessage&& message) {
  auto call = std::make_shared<IncomingCall>();
  call->host = this;
  call->caller = from;
  call->message = std::move(message);
  const CallMessage& m = call->message;
  calls_[{from, m.call}] = call;
  if (const auto early = early_cancels_.find({from, m.call}); early != early_cancels_.end()) {
    call->why_cancelled = early->second;
    *call->cancelled = true;
    early_cancels_.erase(early);
  }
  if (m.info) AddInstance(call);
  BeginRelays(*call);
  BeginArguments(call);
  Domain& domain = domains_[m.order.domain];
  if (m.order.number != 0) {
    domain.last[from] = m.order.number;
    Release(domain.gate.Arrive(m.order.number, call));
  } else {
    Release(domain.gate.ArriveAfter(m.order.after, call));
  }
}

void Host::AddInstance(const CallPtr& call) {
  auto instance = std::make_shared<Instance>();
  instance->info = *call->message.info;
  instance->class_info = FindClass(instance->info.class_name);
  instance->fits = CheckClass(instance->class_info, instance->info.class_name, instance->info.fingerprint);
  const ProcessOptions& me = services_.options;
  auto object = std::make_shared<ObjectContext>();
  object->process = std::dynamic_pointer_cast<Process>(services_.store.lock());
  object->facts = std::make_shared<const internal::RankFacts>(internal::RankFacts{.rank = me.rank,
                                                                                  .world_size = me.world_size,
                                                                                  .group = me.group,
                                                                                  .mesh = instance->info.mesh,
                                                                                  .devices = me.devices,
                                                                                  .seed = me.seed,
                                                                                  .component = instance->info.id});
  instance->context.object = std::move(object);
  const uint64_t lane_id = LaneId(*instance);
  base::MutexLock lock(&mutex_);
  instances_[instance->info.id] = instance;
  std::shared_ptr<Lane>& lane = lanes_[lane_id];
  if (lane == nullptr) {
    const int threads = instance->class_info == nullptr ? 1 : instance->class_info->max_concurrency;
    const std::string name = absl::StrCat(me.group, ".", me.rank, ".", lane_id);
    lane = std::make_shared<Lane>(
        services_.executor, name, threads,
        [weak = weak_from_this()](const CallPtr& posted) {
          if (const auto host = weak.lock()) host->Run(posted);
        },
        [this](const CallPtr& refused, const absl::Status& why) { Refuse(refused, why); });
  }
  instance->context.lane = lane.get();
}

void Host::OnSelfCall(const CallPtr& call) {
  calls_[{services_.options.id, call->message.call}] = call;
  call->arguments_missing = 0;  // its outbox has waited for them
  {
    base::MutexLock lock(&mutex_);
    const auto found = instances_.find(call->message.component);
    if (found != instances_.end()) call->instance = found->second;
  }
  ReleaseOne(call);
}

// ---- order
void Host::Release(std::span<const CallPtr> calls) {
  for (const CallPtr& call : calls) ReleaseOne(call);
}

void Host::ReleaseOne(const CallPtr& call) {
  if (call->state != State::kArrived) return;
  if (!aborted_.ok()) return Answer(call, aborted_);
  if (call->instance == nullptr && Has(call->message.component)) {
    // It arrived before its component, from another process, and its turn comes after it.
    call->arguments_missing = 1;
    BeginArguments(call);
  }
  if (call->instance == nullptr) {
    const auto gone = gone_.find(call->message.component);
    if (gone != gone_.end()) return Answer(call, gone->second);
    orphans_[call->message.component].push_back(call);  // its construction is still on the way
    return;
  }
  if (!call->instance->fits.ok()) return Answer(call, call->instance->fits);
  call->state = State::kReleased;
  call->instance->context.lane->Add(call);
  if (call->message.operation == Operation::kConstruct) AdoptOrphans(call->message.component);
}

// Calls that came before their component go behind its construction.
void Host::AdoptOrphans(uint64_t component) {
  const auto orphans = orphans_.extract(component);
  if (orphans.empty()) return;
  for (const CallPtr& call : orphans.mapped()) ReleaseOne(call);
}

void Host::OnGone(const GoneMessage& gone) {
  gone_[gone.component] = FromWire(gone.why);
  const auto orphans = orphans_.extract(gone.component);
  if (orphans.empty()) return;
  for (const CallPtr& call : orphans.mapped()) ReleaseOne(call);
}

void Host::OnSkip(rpc::ProcessId from, const SkipMessage& skip) {
  Domain& domain = domains_[skip.domain];
  if (skip.own && !skip.numbers.empty()) domain.last[from] = skip.numbers.back();
  for (uint64_t number : skip.numbers) {
    std::vector<CallPtr> concerned;
    for (const auto& [key, call] : calls_) {
      if (call->message.order.domain == skip.domain && call->message.order.number == number) concerned.push_back(call);
    }
    for (const CallPtr& call : concerned) {
      CancelCall(call, absl::AbortedError("its caller is gone, and not all ranks had received the call"));
      if (call->state == State::kArrived) Answer(call, call->why_cancelled);
    }
    Release(domain.gate.Skip(number));
  }
}

void Host::OnNumberRequest(rpc::ProcessId from, const NumberRequest& request) {
  Domain& domain = domains_[request.domain];
  if (domain.sequencer == nullptr) {
    domain.sequencer = std::make_unique<Sequencer>(request.members.size());
    domain.members = request.members;
  }
  ApplySequencer(request.domain, domain.sequencer->OnRequest(from, request.count));
}

void Host::OnRecalled(rpc::ProcessId from, const RecalledMessage& recalled) {
  Domain& domain = domains_[recalled.domain];
  if (domain.sequencer != nullptr) ApplySequencer(recalled.domain, domain.sequencer->OnRecalled(from, recalled.next));
}

void Host::OnLastReply(const LastReply& reply) {
  Domain& domain = domains_[reply.domain];
  if (domain.sequencer != nullptr) ApplySequencer(reply.domain, domain.sequencer->OnLast(reply.caller, reply.last));
}

void Host::OnLastQuery(rpc::ProcessId from, const LastQuery& query) {
  Domain& domain = domains_[query.domain];
  if (lost_.count(query.caller) == 0) {  // frames of it may still come
    domain.queries.emplace_back(from, query);
    return;
  }
  services_.Send(from, rpc::Stream::kControl, LastReply{query.domain, query.caller, domain.last[query.caller]});
}

void Host::ApplySequencer(uint64_t id, const SequencerEffects& effects) {
  const std::vector<rpc::ProcessId>& members = domains_[id].members;
  for (const SequencerEffect& effect : effects) {
    if (const auto* grant = std::get_if<GrantNumbers>(&effect)) {
      services_.Send(grant->caller, rpc::Stream::kControl,
                     NumberGrant{id, grant->first, grant->count, grant->exclusive});
    } else if (const auto* recall = std::get_if<RecallNumbers>(&effect)) {
      services_.Send(recall->caller, rpc::Stream::kControl, RecallMessage{id});
    } else if (const auto* ask = std::get_if<AskLast>(&effect)) {
      for (rpc::ProcessId member : members) services_.Send(member, rpc::Stream::kControl, LastQuery{id, ask->caller});
    } else if (const auto* skip = std::get_if<SkipNumbers>(&effect)) {
      for (rpc::ProcessId member : members)
        services_.Send(member, rpc::Stream::kControl, SkipMessage{id, false, skip->numbers});
    }
  }
}

void Host::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  lost_.insert(peer);
  const std::vector<rpc::ProcessId>& group = services_.options.group_workers;
  const auto member = std::find(group.begin(), group.end(), peer);
  // On a cluster the group's processes are killed, and its callers told of the first cause by who placed them.
  if (member != group.end() && !why.ok() && !services_.outside.end_group) {
    Abort(absl::AbortedError(absl::StrCat("rank ", member - group.begin(), " is gone: ", why.message())));
  }
  std::vector<uint64_t> ids;
  for (const auto& entry : domains_) ids.push_back(entry.first);
  for (uint64_t id : ids) {
    const auto queries = std::exchange(domains_[id].queries, {});
    for (const auto& [from, query] : queries) OnLastQuery(from, query);
    if (domains_[id].sequencer != nullptr) ApplySequencer(id, domains_[id].sequencer->OnLost(peer));
  }
}

// ---- on the lane
void Host::Run(const CallPtr& call) {
  CallContext context = call->instance->context;
  context.cancelled = call->cancelled;
  const ContextScope scope(&context);
  Outcome outcome;
  call->begun = true;  // first: a cancel that is not seen here will see it
  if (*call->cancelled) {
    call->begun = false;
    outcome.status = call->why_cancelled;
    call->told = true;
    if (call->message.operation == Operation::kConstruct) call->instance->status = call->why_cancelled;
  } else if (const absl::Status room = MakesObject(*call) ? objects_.AwaitRoom() : absl::OkStatus(); !room.ok()) {
    outcome.status = room;
  } else {
    outcome = RunOperation(*call, services_.options);
  }
  if (call->self != nullptr) {
    const CallFacts facts = call->Facts(services_.options);
    if (call->method != nullptr) {
      SettleLocal(*call->self, *call->method, std::move(outcome), facts, FailuresOf(call->self_arguments));
    } else {
      outcome.status.ok() ? call->self->Succeed({}) : call->self->Fail(Failed(facts, outcome.status));
    }
  } else {
    call->reply = ReplyFor(*call, outcome, services_.options);
    if (outcome.value != nullptr) KeepResult(*call, std::move(outcome.value));
  }
  call->arguments.clear();  // in the lane: their destructors are the user's
  // As small as a task can be without memory of its own.
  services_.service->Post([call] { call->host->Finish(call); });
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
  refused.status = ToWire(Failed(call.Facts(services_.options), admission.status()));
  call.reply = std::move(refused);
}

// ---- the end of a call
void Host::Finish(const CallPtr& call) {
  call->instance->context.lane->Done(call);
  if (std::exchange(call->state, State::kDone) == State::kDone) return;  // answered when the group was aborted
  calls_.erase({call->caller, call->message.call});
  DropRelays(*call);
  if (call->message.operation == Operation::kDestroy) Forget(*call->instance);
  if (call->self != nullptr) return;
  ReplyMessage& reply = call->reply;
  CallMessage& message = call->message;
  if (call->value != nullptr && lost_.count(call->caller) == 0) {
    object::Maker maker{call->instance->info.class_name, std::move(message.method), std::move(message.file),
                        message.line};
    reply.object = objects_.Insert({call->method->result, std::move(call->value)}, call->caller, reply.bytes,
                                   std::move(maker), std::move(call->admission));
  }
  services_.Send(call->caller, rpc::Stream::kData, reply);
}

// The component was destroyed: so is its lane, unless calls that came later are still to be answered by it.
void Host::Forget(const Instance& instance) {
  std::shared_ptr<Lane> lane;  // ends outside the lock
  base::MutexLock lock(&mutex_);
  instances_.erase(instance.info.id);
  gone_[instance.info.id] = absl::FailedPreconditionError("the component was released");
  const bool in_use = std::any_of(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.second->instance.get() == &instance; });
  if (LaneId(instance) == kSharedLane || in_use) return;
  const auto found = lanes_.find(instance.info.id);
  if (found == lanes_.end()) return;
  lane = std::move(found->second);
  lanes_.erase(found);
}

// There is no thread for it, and so there was none for the object.
void Host::Refuse(const CallPtr& call, const absl::Status& why) {
  if (call->message.operation == Operation::kDestroy) {
    Forget(*call->instance);
    return Answer(call, absl::OkStatus());
  }
  if (call->message.operation == Operation::kConstruct) call->instance->status = why;
  Answer(call, why);
}

// Without running it.
void Host::Answer(const CallPtr& call, const absl::Status& status) {
  if (std::exchange(call->state, State::kDone) == State::kDone) return;
  calls_.erase({call->caller, call->message.call});
  DropRelays(*call);
  if (call->self != nullptr) return call->self->Fail(Failed(call->Facts(services_.options), status));
  ReplyMessage reply;
  reply.call = call->message.call;
  // A component that is not here has no class to name: then the caller adds what it knows.
  const CallFacts facts = call->Facts(services_.options);
  reply.status = ToWire(facts.class_name.empty() || status.ok() ? status : Failed(facts, status));
  services_.Send(call->caller, rpc::Stream::kData, reply);
}

void Host::OnCancel(rpc::ProcessId from, const CancelMessage& cancel) {
  const auto found = calls_.find({from, cancel.call});
  if (found != calls_.end()) return CancelCall(found->second, FromWire(cancel.why));
  // It has not arrived yet, or its answer is on the way: then this is never asked for, and makes room one day.
  early_cancels_[{from, cancel.call}] = FromWire(cancel.why);
  early_order_.emplace_back(from, cancel.call);
  if (early_order_.size() <= kMostEarlyCancels) return;
  early_cancels_.erase(early_order_.front());
  early_order_.pop_front();
}

void Host::CancelCall(const CallPtr& call, const absl::Status& why) {
  if (*call->cancelled || call->state == State::kDone) return;
  call->why_cancelled = why;
  *call->cancelled = true;
  if (call->state == State::kReleased) {  // it will be skipped: nothing to wait for
    call->arguments_missing = 0;
    call->instance->context.lane->Pump();
  }
  services_.service->PostAfter(services_.options.abort_grace, [weak = weak_from_this(), call, why] {
    const auto host = weak.lock();
    if (host == nullptr || call->state == State::kDone || !call->begun) return;
    host->AbortGroup(Failed(call->Facts(host->services_.options),
                            absl::AbortedError(absl::StrCat("it did not leave the method within ",
                                                            absl::FormatDuration(host->services_.options.abort_grace),
                                                            " after the call had ended with: ", base::Brief(why)))));
  });
}

// ---- the end of the group
void Host::AbortGroup(const absl::Status& why) {
  if (services_.outside.end_group) {
    services_.outside.end_group(services_.options.id, services_.options.group, why);
    return Abort(why);
  }
  for (rpc::ProcessId worker : services_.options.group_workers) {
    if (worker != services_.options.id) services_.Send(worker, rpc::Stream::kControl, AbortMessage{ToWire(why)});
  }
  Abort(why);
}

void Host::Abort(const absl::Status& why) {
  if (!aborted_.ok()) return;
  aborted_ = absl::AbortedError(absl::StrCat("group '", services_.options.group, "' was aborted: ", why.message()));
  const auto calls = calls_;
  for (const auto& [key, call] : calls) {
    if (!*call->cancelled) call->why_cancelled = aborted_;
    *call->cancelled = true;
    Answer(call, aborted_);
  }
  base::MutexLock lock(&mutex_);
  for (const auto& [id, lane] : lanes_) {
    if (!lane->busy()) continue;
    if (services_.outside.end_group) continue;  // with its process
    base::Log(base::LogLevel::kWarning,
              absl::StrCat(services_.options.place, ": a thread of group '", services_.options.group,
                           "' is still in user code and is abandoned"));
    lane->Abandon();
  }
}

std::shared_ptr<Instance> Host::InstanceInLane(uint64_t component) const {
  const CallContext* context = CurrentContext();
  base::MutexLock lock(&mutex_);
  const auto found = instances_.find(component);
  if (context == nullptr || found == instances_.end() || found->second->context.lane != context->lane) return nullptr;
  return found->second;
}

bool Host::Has(uint64_t component) const {
  base::MutexLock lock(&mutex_);
  return instances_.find(component) != instances_.end();
}

void Host::Stop(const absl::Status& why) {
  for (const auto& [key, call] : calls_) {
    if (*call->cancelled) continue;
    call->why_cancelled = why;
    *call->cancelled = true;
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
    call->self->Fail(
        absl::CancelledError(absl::StrCat(What(call->Facts(services_.options)), ": the session has ended")));
  }
  domains_.clear();  // calls that waited for their turn hold this process
  orphans_.clear();
  return ended;
}

}  // namespace twinkle::actor
