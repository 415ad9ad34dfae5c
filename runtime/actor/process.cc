#include "runtime/actor/process.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/local_call.h"
#include "runtime/actor/local_object.h"
#include "runtime/actor/registry.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/mesh/share.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;
using internal::MethodInfo;

// ---- life
namespace {

constexpr uint64_t kLocalComponent = uint64_t{1} << 62;  // ids that the directory does not give out
constexpr absl::Duration kDrainTime = absl::Seconds(1);  // for what is not stuck, however late it is

// Closes the queue after what was posted to it has run; a task that is stuck is left to itself.
void CloseDrained(base::TaskQueue& queue, absl::Time deadline) {
  const auto drained = std::make_shared<base::Event>();
  queue.Post([drained] { drained->Set(); });
  drained->WaitUntil(std::max(deadline, absl::Now() + kDrainTime)) ? queue.Close() : queue.Abandon();
}

}  // namespace

std::shared_ptr<Process> Process::Start(ProcessOptions options, Surroundings surroundings) {
  std::shared_ptr<Process> process(new Process(std::move(options), std::move(surroundings)));
  process->services_.store = process;
  process->caller_ = std::make_shared<Caller>(
      &process->services_,
      [weak = std::weak_ptr(process)](const auto& call) {
        if (const auto self = weak.lock()) self->DeliverSelf(call);
      },
      [weak = std::weak_ptr(process)](uint64_t call, const absl::Status& why) {
        if (const auto self = weak.lock()) self->host_->OnCancel(self->options().id, {call, ToWire(why)});
      });
  process->exchange_ = std::make_unique<ObjectExchange>(&process->services_);
  process->host_ = std::make_shared<Host>(&process->services_, &process->exchange_->table());
  process->transport_ = process->surroundings_.join(process.get(), process->service_.get());
  process->services_.transport = process->transport_.get();
  return process;
}

Process::Process(ProcessOptions options, Surroundings surroundings) : surroundings_(std::move(surroundings)) {
  const std::string name = options.group.empty() ? "program" : absl::StrCat(options.group, ".", options.rank);
  base::Executor& executor = *surroundings_.executor;
  service_ = surroundings_.share_service ? executor.NewSharedQueue(name) : executor.NewQueue(name);
  collector_ = executor.NewQueue(absl::StrCat(name, ".collect"));
  if (surroundings_.notifier) notifier_ = executor.NewQueue(absl::StrCat(name, ".notify"));
  services_.options = std::move(options);
  services_.executor = &executor;
  services_.service = service_.get();
  services_.directory = surroundings_.directory.get();
  services_.outside = surroundings_.outside;
  services_.failures = std::make_shared<object::FailureLog>(surroundings_.notifier, notifier_.get());
}

Process::~Process() { Shutdown(absl::CancelledError("the process has ended"), absl::InfinitePast()); }

void Process::Shutdown(const absl::Status& why, absl::Time deadline) {
  Stop(why);
  Join(deadline);
}

void Process::Stop(const absl::Status& why) {
  if (ended_.exchange(true)) return;
  why_ended_ = why;
  transport_->Close();
  service_->Close();  // from here on the confined state is this thread's
  caller_->FailAll(why);
  exchange_->FailAll(why);
  host_->Stop(why);
}

void Process::Join(absl::Time deadline) {
  if (joined_.exchange(true)) return;
  {
    base::MutexLock lock(&mutex_);
    constructions_.clear();  // they hold this process
  }
  host_->Shutdown(deadline);
  locals_.EndAll(why_ended_, deadline);
  CloseDrained(*collector_, deadline);
  if (notifier_ != nullptr) CloseDrained(*notifier_, deadline);
}

size_t Process::objects_owned() const { return exchange_->table().size(); }

// ---- calls
namespace {

// From here on the arguments are the call's own, whatever their giver does.
void SnapshotOne(const CallArgument& argument, const internal::ParameterInfo& parameter) {
  if (argument.kind == CallArgument::Kind::kValue) codec::Snapshot(*parameter.type, argument.value.get());
  for (const CallArgument& element : argument.per_rank) SnapshotOne(element, parameter);
}

absl::Status SnapshotArguments(const std::vector<CallArgument>& arguments,
                               std::span<const internal::ParameterInfo> parameters) {
  return codec::Guarded([&]() -> absl::Status {
    for (size_t i = 0; i < arguments.size(); ++i) SnapshotOne(arguments[i], parameters[i]);
    return absl::OkStatus();
  });
}

// What no call can do with its arguments. `leave`: they leave this process.
absl::Status CheckOne(const CallArgument& argument, bool leaves) {
  for (const CallArgument& element : argument.per_rank) TWINKLE_RETURN_IF_ERROR(CheckOne(element, leaves));
  if (argument.kind == CallArgument::Kind::kLazy && argument.lazy == nullptr) {
    return absl::InvalidArgumentError("it is an empty Lazy");
  }
  if (argument.kind != CallArgument::Kind::kComponent) return absl::OkStatus();
  if (argument.component == nullptr) return absl::InvalidArgumentError("it is an empty Remote");
  if (!leaves || argument.component->local == nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "it is an object of this process, which no other can reach: make it with remote_group");
}

absl::Status CheckArguments(const std::vector<CallArgument>& arguments, bool leaves) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    TWINKLE_RETURN_IF_ERROR(base::Annotate(CheckOne(arguments[i], leaves), absl::StrCat("argument ", i + 1)));
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<OutgoingCall> Process::NewCall(Operation operation, const ComponentRef& component, CallSite site,
                                               const std::string& method) {
  auto call = std::make_shared<OutgoingCall>();
  call->id = next_id_++;
  call->operation = operation;
  call->component = std::shared_ptr<const ComponentInfo>(std::make_shared<ComponentInfo>(component.info));
  call->class_info = component.class_info;
  call->site = site;
  call->facts = {component.info.class_name, method, component.info.group, -1, "", BaseName(site.file), site.line};
  call->constructed = operation == Operation::kConstruct ? nullptr : component.constructed;
  return call;
}

internal::LazyOrigin Process::OriginFor(const OutgoingCall& call, const internal::Type* collected,
                                        internal::AnswerOps answer) {
  internal::LazyOrigin origin;
  origin.what = What(call.facts);
  origin.collected = collected;
  origin.answer = answer;
  origin.mesh = call.component->mesh;
  origin.store = shared_from_this();
  origin.failures = services_.failures;
  if (call.method == nullptr) return origin;
  origin.result = call.method->result;
  origin.rule = call.method->collect;
  origin.as_it_is = call.rank.has_value() && call.method->result != nullptr;
  origin.padding = {call.method->padded, call.method->pad_value};
  if (!call.rank) origin.own_collect = call.method->own_collect;
  return origin;
}

std::shared_ptr<LazyCore> Process::Call(const std::shared_ptr<const ComponentRef>& component, const MethodInfo& method,
                                        std::optional<int> rank, std::vector<CallArgument> arguments, CallSite site,
                                        const internal::Type* collected, internal::AnswerOps answer) {
  auto call = NewCall(Operation::kMethod, *component, site, method.name);
  call->method = &method;
  call->rank = rank;
  call->arguments = std::move(arguments);
  const absl::Status snapshot = SnapshotArguments(call->arguments, method.parameters);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, collected, answer));
  std::shared_ptr<LazyCore> core = call->core;
  const bool leaves = component->local == nullptr && !IsOwnObject(component->info, rank);
  if (const absl::Status bad = snapshot.ok() ? CheckArguments(call->arguments, leaves) : snapshot; !bad.ok()) {
    core->Fail(base::Annotate(bad, What(call->facts)));
  } else if (component->local != nullptr) {
    CallLocal(*component, *call);
  } else if (IsOwnObject(component->info, rank)) {
    CallSelf(call);
  } else {
    Submit(std::move(call));
  }
  const bool sync = method.sync.value_or(component->info.sync.value_or(services_.options.sync));
  const bool lazy = method.lazy_collect.value_or(component->info.lazy_collect.value_or(services_.options.lazy_collect));
  // Waiting here does not look at a failure: the caller gets it from the lazy.
  if (!lazy && collected != nullptr && !method.each) {
    core->WaitAnswered();
  } else if (sync || !lazy) {
    core->WaitSettled();
  }
  return core;
}

void Process::Submit(std::shared_ptr<OutgoingCall> call) {
  call->core->OnCancel([weak = weak_from_this(), id = call->id, what = What(call->facts)] {
    const auto process = weak.lock();
    if (process == nullptr) return;
    process->service_->Post([caller = process->caller_, id, what] {
      caller->Cancel(id, absl::CancelledError(absl::StrCat(what, " was cancelled")));
    });
  });
  const std::shared_ptr<LazyCore> core = call->core;
  const std::string what = What(call->facts);
  caller_->Announce(call);
  if (!service_->Post([caller = caller_, call = std::move(call)]() mutable { caller->Submit(std::move(call)); })) {
    core->Fail(absl::CancelledError(absl::StrCat(what, ": the session has ended")));
  }
}

// The object is where its caller is, but for its own mesh.
CallContext Process::LocalContext(const LocalObject& local) {
  CallContext context;
  if (const CallContext* outer = CurrentContext()) context = *outer;
  context.process = shared_from_this();
  context.mesh = local.mesh;
  context.component = local.id;
  return context;
}

// Of an object of this process: it stands for its group, if it was made for one.
void Process::SayHere(CallFacts& facts) const {
  facts.place = services_.options.place;
  if (!facts.group.empty()) facts.rank = services_.options.rank;
}

void Process::CallLocal(const ComponentRef& component, OutgoingCall& call) {
  LocalObject& local = *component.local;
  SayHere(call.facts);
  internal::Outcome outcome;
  std::vector<std::shared_ptr<object::Failure>> causes;
  if (call.rank && *call.rank != 0) {
    return call.core->Fail(absl::InvalidArgumentError(absl::StrCat(What(call.facts), ": there is no rank ", *call.rank,
                                                                   ": the component is one object of this process")));
  }
  absl::StatusOr<std::vector<internal::Argument>> arguments = LocalArguments(call.arguments, call.method->parameters);
  if (!arguments.ok()) {
    causes = FailuresOf(call.arguments);
    return call.core->Fail(base::Annotate(arguments.status(), What(call.facts)), std::move(causes));
  }
  {
    const std::lock_guard lock(local.mutex);
    const CallContext context = LocalContext(local);
    const ContextScope scope(&context);
    outcome.status = local.status;
    const std::shared_ptr<void> object = local.object;  // the method may release its own component
    if (local.status.ok()) outcome = call.method->invoke(object.get(), *arguments);
  }
  if (component.constructed != nullptr && component.constructed->failure() != nullptr) {
    causes.push_back(component.constructed->failure());
  }
  SettleLocal(*call.core, *call.method, std::move(outcome), call.facts, std::move(causes));
}

// Within its group a component means this rank's object; another rank's can be named by Rank(i).
bool Process::IsOwnObject(const ComponentInfo& component, std::optional<int> rank) const {
  if (component.group != services_.options.group) return false;
  const auto mine = std::find(component.workers.begin(), component.workers.end(), services_.options.id);
  if (mine == component.workers.end()) return false;  // kFirst: the one that exists is meant
  return !rank || *rank == mine - component.workers.begin();
}

// On the object's own lane a call runs at once and takes no number; from elsewhere it queues.
void Process::CallSelf(const std::shared_ptr<OutgoingCall>& call) {
  call->facts.rank = services_.options.rank;
  call->facts.place = services_.options.place;
  if (const auto instance = host_->InstanceInLane(call->component->id)) {
    CallContext context = instance->context;
    context.cancelled = CurrentContext()->cancelled;
    const ContextScope scope(&context);
    internal::Outcome outcome;
    auto arguments = LocalArguments(call->arguments, call->method->parameters);
    outcome.status = arguments.ok() ? instance->status : arguments.status();
    if (outcome.status.ok()) outcome = call->method->invoke(instance->object.get(), *arguments);
    return SettleLocal(*call->core, *call->method, std::move(outcome), call->facts, FailuresOf(call->arguments));
  }
  call->self = true;
  Submit(call);
}

// A call to this process's own object whose turn in the outbox has come.
void Process::DeliverSelf(const std::shared_ptr<OutgoingCall>& call) {
  auto incoming = std::make_shared<IncomingCall>();
  incoming->caller = services_.options.id;
  incoming->message.call = call->id;
  incoming->message.component = call->component->id;
  incoming->method = call->method;
  incoming->facts = call->facts;
  incoming->self = call->core;
  incoming->self_arguments = std::move(call->arguments);
  host_->OnSelfCall(incoming);
}

// ---- components
absl::StatusOr<ComponentInfo> Process::Describe(const internal::ClassInfo& class_info, const NewOptions& options) {
  TWINKLE_ASSIGN_OR_RETURN(const GroupInfo group, surroundings_.directory->FindGroup(options.group));
  ComponentInfo info;
  info.name = options.name;
  info.class_name = std::string(class_info.name);
  info.fingerprint = Fingerprint(class_info);
  info.group = group.name;
  info.workers = group.workers;
  if (class_info.execute == Execute::kFirst) info.workers.resize(1);
  if (class_info.execute == Execute::kPeer) {
    const mesh::Range share =
        mesh::PeerShare(static_cast<int>(group.workers.size()), services_.options.rank, services_.options.world_size);
    info.workers.assign(group.workers.begin() + share.begin, group.workers.begin() + share.end);
  }
  info.shared_lane = !group.is_cpu();
  if (info.shared_lane) {
    info.domain = group.domain;
    info.domain_workers = group.workers;
  }
  info.mesh = options.mesh ? options.mesh : services_.options.session_mesh;
  info.sync = options.sync;
  info.lazy_collect = options.lazy_collect;
  return info;
}

absl::StatusOr<std::shared_ptr<const ComponentRef>> Process::New(const internal::ClassInfo& class_info,
                                                                 const internal::ConstructorInfo& constructor,
                                                                 NewOptions options,
                                                                 std::vector<CallArgument> arguments, CallSite site) {
  TWINKLE_RETURN_IF_ERROR(CheckUnambiguous({class_info.name.data(), class_info.name.size()}));
  const bool local = options.local || options.group.empty() || options.group == services_.options.group;
  if (const absl::Status bad = CheckArguments(arguments, !local); !bad.ok()) {
    return base::Annotate(bad, absl::StrCat("New [", BaseName(site.file), ":", site.line, "]"));
  }
  TWINKLE_RETURN_IF_ERROR(SnapshotArguments(arguments, constructor.parameters));
  if (local) {
    return NewLocal(class_info, constructor, options, arguments, site);
  }
  TWINKLE_ASSIGN_OR_RETURN(ComponentInfo info, Describe(class_info, options));
  if (locals_.Named(options.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", options.name, "' already"));
  }
  bool existed = false;
  TWINKLE_ASSIGN_OR_RETURN(info, surroundings_.directory->AddComponent(std::move(info), options.instance_id, &existed));
  if (existed) return Bind(info);
  auto component = std::make_shared<ComponentRef>(*Bind(info));
  auto call = NewCall(Operation::kConstruct, *component, site, "constructor");
  call->constructor = &constructor;
  call->arguments = std::move(arguments);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  {
    base::MutexLock lock(&mutex_);
    constructions_[info.id] = call->core;
  }
  Submit(std::move(call));
  return std::shared_ptr<const ComponentRef>(std::move(component));
}

absl::StatusOr<std::shared_ptr<const ComponentRef>> Process::NewLocal(const internal::ClassInfo& class_info,
                                                                      const internal::ConstructorInfo& constructor,
                                                                      const NewOptions& options,
                                                                      std::vector<CallArgument>& arguments,
                                                                      CallSite site) {
  if (!options.name.empty() && surroundings_.directory->FindComponent(options.name).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", options.name, "' already"));
  }
  auto component = std::make_shared<ComponentRef>();
  component->class_info = &class_info;
  component->info.group = options.group;
  component->process = shared_from_this();
  component->info.class_name = std::string(class_info.name);
  component->info.name = options.name;
  component->info.mesh = options.mesh ? options.mesh : services_.options.session_mesh;
  component->info.sync = options.sync;
  component->info.lazy_collect = options.lazy_collect;
  component->local = std::make_shared<LocalObject>();
  LocalObject& local = *component->local;
  local.mesh = component->info.mesh;
  local.id = kLocalComponent | next_id_++;
  auto call = NewCall(Operation::kConstruct, *component, site, "constructor");
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  SayHere(call->facts);
  const std::lock_guard lock(local.mutex);  // others that find it wait until it is constructed
  TWINKLE_ASSIGN_OR_RETURN(const auto kept, locals_.Add(component, options.instance_id));
  if (kept != component) return kept;
  absl::StatusOr<std::vector<internal::Argument>> values = LocalArguments(arguments, constructor.parameters);
  internal::Outcome made{values.status(), nullptr, true};
  if (values.ok()) {
    const CallContext context = LocalContext(local);
    const ContextScope scope(&context);
    made = constructor.construct(*values);
  }
  local.object = std::move(made.value);
  local.status = made.status.ok() ? made.status : Failed(call->facts, made.status);
  local.status.ok() ? call->core->Succeed({}) : call->core->Fail(local.status, FailuresOf(arguments));
  return std::shared_ptr<const ComponentRef>(std::move(component));
}

std::shared_ptr<const ComponentRef> Process::Bind(const ComponentInfo& info) {
  auto component = std::make_shared<ComponentRef>();
  component->info = info;
  component->class_info = FindClass(info.class_name);
  component->process = shared_from_this();
  base::MutexLock lock(&mutex_);
  const auto made = constructions_.find(info.id);
  if (made != constructions_.end()) component->constructed = made->second;
  return component;
}

absl::StatusOr<std::shared_ptr<const ComponentRef>> Process::Find(absl::string_view name,
                                                                  const internal::ClassInfo& class_info) {
  std::shared_ptr<const ComponentRef> found = locals_.Named(name);
  if (found == nullptr) {
    TWINKLE_ASSIGN_OR_RETURN(const ComponentInfo info, surroundings_.directory->FindComponent(name));
    found = Bind(info);
  }
  if (const ComponentInfo& info = found->info; info.class_name != class_info.name) {
    return absl::FailedPreconditionError(
        absl::StrCat("the component '", name, "' is a ", info.class_name, ", not a ",
                     absl::string_view(class_info.name.data(), class_info.name.size())));
  }
  if (found->local == nullptr) {
    TWINKLE_RETURN_IF_ERROR(CheckClass(&class_info, found->info.class_name, found->info.fingerprint));
  }
  return found;
}

absl::Status Process::WaitReady(const ComponentRef& component, absl::Duration limit, CallSite site) {
  if (const auto instance = host_->InstanceInLane(component.info.id)) return instance->status;
  const absl::Time deadline = absl::Now() + limit;
  if (component.constructed != nullptr) return component.constructed->Wait(deadline);
  auto call = NewCall(Operation::kProbe, component, site, "WaitReady");
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  const std::shared_ptr<LazyCore> core = call->core;
  Submit(std::move(call));
  return core->Wait(deadline);
}

absl::Status Process::ReleaseComponent(const ComponentRef& component, CallSite site) {
  if (component.local != nullptr) {
    const std::lock_guard lock(component.local->mutex);
    component.local->object.reset();
    component.local->status = absl::FailedPreconditionError("the component was released");
    locals_.Remove(component);
    return absl::OkStatus();
  }
  surroundings_.directory->RemoveComponent(component.info.id);
  {
    base::MutexLock lock(&mutex_);
    constructions_.erase(component.info.id);
  }
  auto call = NewCall(Operation::kDestroy, component, site, "Release");
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  call->core->OnSettled([core = call->core] {  // nobody can look at it, and what is gone need not be released
    if (const auto failure = core->failure()) failure->Look();
  });
  Submit(std::move(call));
  return absl::OkStatus();
}

namespace {

absl::Status KilledAt(const ComponentRef& component, CallSite site) {
  return absl::AbortedError(absl::StrCat(ShortName(component.info.class_name), ".component().Kill() [",
                                         BaseName(site.file), ":", site.line, "]"));
}

}  // namespace

void Process::Kill(const ComponentRef& component, CallSite site) {
  if (component.local != nullptr) {
    ReleaseComponent(component, site).IgnoreError();
    const std::lock_guard lock(component.local->mutex);
    component.local->status = KilledAt(component, site);
    return;
  }
  const absl::Status why = KilledAt(component, site);
  if (services_.outside.end_group) {
    return services_.outside.end_group(component.info.workers.front(), component.info.group, why);
  }
  const absl::StatusOr<GroupInfo> group = surroundings_.directory->FindGroup(component.info.group);
  if (!group.ok()) return;
  for (rpc::ProcessId worker : group->workers) {
    services_.Send(worker, rpc::Stream::kControl, AbortMessage{ToWire(why)});
  }
}

std::shared_ptr<LazyCore> Process::Put(const internal::Type& type, std::shared_ptr<void> value,
                                       internal::AnswerOps answer, CallSite site) {
  internal::LazyOrigin origin;
  origin.what = absl::StrCat("Put [", BaseName(site.file), ":", site.line, "]");
  origin.result = &type;
  origin.collected = &type;
  origin.answer = answer;
  origin.store = shared_from_this();
  origin.failures = services_.failures;
  auto core = std::make_shared<LazyCore>(std::move(origin));
  const absl::Status snapshot = codec::Guarded([&] { return codec::Snapshot(type, value.get()), absl::OkStatus(); });
  snapshot.ok() ? core->SucceedWith(std::move(value)) : core->Fail(snapshot);
  return core;
}

// ---- frames
void Process::OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame frame) {
  absl::StatusOr<Message> message = DecodeMessage(frame);
  if (!message.ok()) {
    base::Log(base::LogLevel::kError,
              absl::StrCat("a message from process ", from, " is dropped: ", message.status().ToString()));
    return;
  }
  Handle(from, *std::move(message));
}

void Process::Handle(rpc::ProcessId from, Message message) {
  struct Visitor {
    Process& self;
    rpc::ProcessId from;
    void operator()(CallMessage& m) { self.host_->OnCall(from, std::move(m)); }
    void operator()(ReplyMessage& m) { self.caller_->OnReply(from, std::move(m)); }
    void operator()(CancelMessage& m) { self.host_->OnCancel(from, m); }
    void operator()(SkipMessage& m) { self.host_->OnSkip(from, m); }
    void operator()(GoneMessage& m) { self.host_->OnGone(m); }
    void operator()(PullMessage& m) { self.exchange_->OnPull(from, m); }
    void operator()(PullReply& m) { self.exchange_->OnPullReply(m); }
    void operator()(RetainMessage& m) { self.exchange_->OnRetain(from, m); }
    void operator()(RetainReply& m) { self.exchange_->OnRetainReply(m); }
    void operator()(ReleaseMessage& m) { self.exchange_->OnRelease(from, m); }
    void operator()(NumberRequest& m) { self.host_->OnNumberRequest(from, m); }
    void operator()(NumberGrant& m) { self.caller_->OnGrant(m); }
    void operator()(RecallMessage& m) { self.caller_->OnRecall(from, m); }
    void operator()(RecalledMessage& m) { self.host_->OnRecalled(from, m); }
    void operator()(LastQuery& m) { self.host_->OnLastQuery(from, m); }
    void operator()(LastReply& m) { self.host_->OnLastReply(m); }
    void operator()(AbortMessage& m) { self.host_->Abort(FromWire(m.why)); }
    void operator()(AccountQuery& m) { self.OnAccountQuery(from, m); }
    void operator()(AccountReply& m) { self.OnAccountReply(std::move(m)); }
  };
  std::visit(Visitor{*this, from}, message);
}

void Process::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  caller_->OnLost(peer, why);
  host_->OnLost(peer, ending_ ? absl::OkStatus() : why);
  exchange_->OnLost(peer, why);
  std::vector<uint64_t> unanswered;
  for (const auto& [token, asked] : accounts_) {
    if (asked.peer == peer) unanswered.push_back(token);
  }
  for (uint64_t token : unanswered) OnAccountReply({token, {}, {}});
}

// ---- accounts
Process::Account Process::AccountOf(rpc::ProcessId peer, bool close, absl::Time deadline) {
  struct Answer {
    base::Event there;
    Account account;
  };
  const auto answer = std::make_shared<Answer>();
  const bool asked = service_->Post([self = shared_from_this(), answer, peer, close] {
    const uint64_t token = self->next_id_++;
    const absl::Status sent =
        self->services_.transport->Send(peer, rpc::Stream::kControl, EncodeMessage(AccountQuery{token, close}));
    if (!sent.ok()) return answer->there.Set();
    self->accounts_[token] = {peer, [answer](Account account) {
                                answer->account = std::move(account);
                                answer->there.Set();
                              }};
  });
  if (!asked || !answer->there.WaitUntil(deadline)) return {};
  return answer->account;
}

void Process::OnAccountQuery(rpc::ProcessId from, const AccountQuery& query) {
  constexpr size_t kCallsNamed = 3;
  AccountReply reply{query.token, CallsUnderWay(kCallsNamed), {}};
  if (query.close) reply.unread_failure = ToWire(failures().Close());
  services_.Send(from, rpc::Stream::kControl, std::move(reply));
}

void Process::OnAccountReply(AccountReply reply) {
  auto asked = accounts_.extract(reply.token);
  if (!asked.empty()) asked.mapped().done({std::move(reply.calls_under_way), FromWire(reply.unread_failure)});
}

// ---- objects
namespace {

// Answers with Cancelled when it is dropped unanswered, with the task that was to answer.
class SureDone {
 public:
  explicit SureDone(object::PullDone done) : done_(std::move(done)) {}
  SureDone(SureDone&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  ~SureDone() {
    if (done_) done_(absl::CancelledError("the session has ended"));
  }
  object::PullDone Take() { return std::exchange(done_, nullptr); }

 private:
  object::PullDone done_;
};

}  // namespace

void Process::Pull(const object::ObjectRef& object, const codec::Type& type,
                   std::optional<std::vector<codec::Range>> rows, object::PullDone done) {
  // The type is a constant of the program.
  service_->Post([self = shared_from_this(), object, type = &type, rows = std::move(rows),
                  sure = SureDone(std::move(done))]() mutable {
    self->exchange_->Pull(object, *type, std::move(rows), sure.Take());
  });
}

void Process::Retain(const object::ObjectRef& object, absl::AnyInvocable<void(absl::Status)> done) {
  service_->Post([self = shared_from_this(), object, done = std::move(done)]() mutable {
    self->exchange_->Retain(object, std::move(done));
  });
}

void Process::Release(const object::ObjectRef& object) {
  if (ended_) return;
  service_->Post([self = shared_from_this(), object] { self->exchange_->Release(object); });
}

}  // namespace twinkle::actor
