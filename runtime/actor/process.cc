#include "runtime/actor/process.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/argument_plan.h"
#include "runtime/actor/call_arguments.h"
#include "runtime/actor/local_call.h"
#include "runtime/actor/local_object.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/codec/encode_within.h"
#include "runtime/codec/guarded.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;
using internal::MethodInfo;

// ---- life
namespace {

constexpr absl::Duration kDrainTime = absl::Seconds(1);  // for what is not stuck, however late it is

// Closes the queue after what was posted to it has run; a task that is stuck is left to itself, and false.
bool CloseDrained(base::TaskQueue& queue, base::Instant deadline) {
  const auto drained = std::make_shared<base::Event>();
  queue.Post([drained] { drained->Set(); });
  const bool in_time = drained->WaitUntil(std::max(deadline, base::Now() + kDrainTime));
  if (in_time) {
    queue.Close();
  } else {
    queue.Abandon();
  }
  return in_time;
}

}  // namespace

std::shared_ptr<Process> Process::Start(ProcessOptions options, Surroundings surroundings) {
  std::unique_ptr<rpc::Transport> transport = std::move(surroundings.transport);
  std::shared_ptr<Process> process(new Process(std::move(options), std::move(surroundings), std::move(transport)));
  if (!process->HasThreads()) {
    process->ended_ = true;
    process->joined_ = true;
    return nullptr;
  }
  process->exchange_ = std::make_unique<ObjectExchange>(&process->services_, &process->lost_);
  process->store_ = std::make_unique<ProcessStore>(&process->services_, process->exchange_.get());
  process->host_ = std::make_shared<Host>(&process->services_, process->exchange_.get(), &process->lost_);
  process->caller_ = std::make_shared<Caller>(&process->services_, process->host_.get());
  process->accounts_ = std::make_unique<Accounts>(&process->services_, &process->caller_->pending());
  process->router_ =
      std::make_unique<Router>(Router::Parts{process->caller_.get(), process->host_.get(), process->exchange_.get(),
                                             process->accounts_.get(), &process->constructions_});
  process->transport_->Start(process.get(), process->service_.get());  // last: frames may come at once
  return process;
}

Process::Process(ProcessOptions options, Surroundings surroundings, std::unique_ptr<rpc::Transport> transport)
    : surroundings_(std::move(surroundings)), transport_(std::move(transport)), lost_makers_(&services_) {
  const std::string name = options.group.empty() ? "program" : absl::StrCat(options.group, ".", options.rank);
  base::Executor& executor = *surroundings_.executor;
  service_ = surroundings_.share_service ? executor.NewSharedQueue(name) : executor.NewQueue(name);
  collector_ = executor.NewQueue(absl::StrCat(name, ".collect"));
  if (surroundings_.notifier) notifier_ = executor.NewQueue(absl::StrCat(name, ".notify"));
  facts_ = std::make_shared<const internal::RankFacts>(
      internal::RankFacts{.mesh = options.session_mesh, .seed = options.seed});
  services_.options = std::move(options);
  services_.executor = &executor;
  services_.service = service_.get();
  services_.collector = collector_.get();
  services_.binder = this;
  services_.directory = surroundings_.directory.get();
  services_.placement = surroundings_.placement.get();
  services_.transport = transport_.get();
  services_.traffic = surroundings_.traffic;
  services_.failures = std::make_shared<object::FailureLog>(surroundings_.notifier, notifier_.get());
}

bool Process::HasThreads() const {
  return service_ != nullptr && collector_ != nullptr && (notifier_ != nullptr || !surroundings_.notifier);
}

Process::~Process() { Shutdown(absl::CancelledError("the process has ended"), base::kLongAgo); }

bool Process::Shutdown(const absl::Status& why, base::Instant deadline) {
  Stop(why);
  return Join(deadline);
}

bool Process::WaitForCalls(base::Instant deadline) const {
  if (!WaitAllSettled(deadline)) return false;
  const std::shared_ptr<base::Event> kept = WhenKept();
  return kept == nullptr || kept->WaitUntil(deadline);
}

std::shared_ptr<base::Event> Process::WhenKept() const {
  if (keeping_ == 0) return nullptr;
  auto kept = std::make_shared<base::Event>();
  return service_->Post([kept] { kept->Set(); }) ? kept : nullptr;
}

void Process::Stop(const absl::Status& why) {
  if (ended_.exchange(true)) return;
  why_ended_ = why;
  store_->Close();
  transport_->Close();
  service_->Close();  // from here on the confined state is this thread's
  caller_->FailAll(why);
  exchange_->FailAll(why);
  host_->Stop(why);
}

bool Process::Join(base::Instant deadline) {
  if (joined_.exchange(true)) return true;
  constructions_.Clear();
  bool ended = host_->Shutdown(deadline);
  locals_.EndAll(why_ended_, deadline);
  if (!CloseDrained(*collector_, deadline)) ended = false;
  exchange_->DropAll();  // handles may keep this process for long
  if (notifier_ != nullptr && !CloseDrained(*notifier_, deadline)) ended = false;
  return ended;
}

// ---- calls
std::shared_ptr<OutgoingCall> Process::NewCall(Operation operation, const ComponentRef& component, CallSite site) {
  auto call = std::make_shared<OutgoingCall>();
  call->id = next_id_++;
  call->operation = operation;
  call->component = {component.shared_from_this(), &component.info};
  call->class_info = component.class_info;
  call->site = site;
  call->constructed = operation == Operation::kConstruct ? nullptr : component.constructed;
  // In one process a method may hold a handle of the program's, too: that makes calls of the program's.
  const CallContext* const within = CurrentContext();
  if (within != nullptr && within->object->process.get() == this) call->parent = within->call;
  return call;
}

internal::LazyOrigin Process::OriginFor(const OutgoingCall& call, const internal::Type* collected,
                                        internal::AnswerOps answer) {
  internal::LazyOrigin origin;
  origin.what = call.Name();
  origin.collected = collected;
  origin.answer = answer;
  origin.store = store();
  origin.failures = services_.failures;
  if (call.method == nullptr) return origin;
  if (call.component->mesh) origin.mesh = {call.component, &*call.component->mesh};
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
  auto call = NewCall(Operation::kMethod, *component, site);
  call->method = &method;
  call->rank = rank;
  call->arguments = std::move(arguments);
  const absl::Status snapshot = SnapshotArguments(call->arguments, method.parameters);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, collected, answer));
  std::shared_ptr<LazyCore> core = call->core;
  const bool leaves = component->local == nullptr && !IsOwnObject(component->info, rank);
  if (const absl::Status bad = snapshot.ok() ? CheckArguments(call->arguments, leaves, job()) : snapshot; !bad.ok()) {
    core->Fail(base::Annotate(bad, call->Name().text()));
  } else if (component->local != nullptr && IsTooLate()) {
    core->FailAsWished(base::Annotate(absl::CancelledError("the session has ended"), call->Name().text()));
  } else if (component->local != nullptr) {
    CallLocal(*component, *call);
  } else if (IsOwnObject(component->info, rank)) {
    CallSelf(call);
  } else {
    if (component->far) ShareLargeArguments(*call);
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

// Large values for several ranks on other machines become objects of this process, which they pull by relays, each
// machine once. The others go along with the call, as they were encoded here, and so does what cannot be made an
// object.
void Process::ShareLargeArguments(OutgoingCall& call) {
  if (PlansWithUserCode(call)) return;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    CallArgument& argument = call.arguments[i];
    const internal::ParameterInfo& parameter = call.parameters()[i];
    if (argument.kind != CallArgument::Kind::kValue || parameter.type == nullptr) continue;
    auto sized = codec::EncodeWithin({parameter.type, argument.value}, services_.options.inline_bytes);
    if (!sized.ok()) continue;  // planning says so
    if (sized->encoded) {
      call.packed.resize(call.arguments.size());
      call.packed[i] = Pack(*std::move(sized->encoded));
      continue;
    }
    internal::LazyOrigin origin;
    origin.what = absl::StrCat(call.Name().text(), ": argument ", i + 1);
    origin.result = parameter.type;
    origin.collected = parameter.type;
    origin.as_it_is = true;
    origin.store = store();
    auto core = std::make_shared<LazyCore>(std::move(origin));
    if (!codec::Guarded([&] { return Keep(core, argument.value, sized->bytes, call.Facts()); }).ok()) continue;
    argument = {};
    argument.kind = CallArgument::Kind::kLazy;
    argument.lazy = std::move(core);
  }
}

void Process::Submit(std::shared_ptr<OutgoingCall> call) {
  const std::shared_ptr<LazyCore> core = call->core;
  const MadeIn made_in = CurrentContext() != nullptr ? MadeIn::kMethod : MadeIn::kThread;
  const WithoutRoom without_room = call->operation != Operation::kMethod ? WithoutRoom::kAddAnyway
                                   : made_in == MadeIn::kMethod          ? WithoutRoom::kFail
                                                                         : WithoutRoom::kBlock;
  core->SetCall(weak_from_this(), call->id);  // before: it may settle as soon as it is known
  if (const absl::Status room = caller_->Announce(*call, without_room, made_in); !room.ok()) {
    const absl::Status refused = base::Annotate(room, core->origin().what.text());
    if (absl::IsCancelled(room)) return core->FailAsWished(refused);
    return core->Fail(refused);
  }
  call->caller = caller_.get();
  // As small as a task can be without memory of its own.
  if (!service_->Post([call = std::move(call)]() mutable { Caller::Submit(std::move(call)); })) {
    core->Fail(absl::CancelledError(absl::StrCat(core->origin().what.text(), ": the session has ended")));
  }
}

bool Process::IsTooLate() const { return caller_->pending().closed_to_threads() && CurrentContext() == nullptr; }

void Process::OnCallSettled(uint64_t call) { caller_->OnCallSettled(call); }

void Process::CancelCall(uint64_t call, const std::string& what) {
  service_->Post([caller = caller_, call, what] {
    caller->Cancel(call, absl::CancelledError(absl::StrCat(what, " was cancelled")));
  });
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
  if (const auto instance = host_->InstanceInLane(call->component->id)) {
    CallContext context = instance->context;
    context.call = CurrentContext()->call;
    const ContextScope scope(&context);
    internal::Outcome outcome;
    auto arguments = LocalArguments(call->arguments, call->method->parameters);
    outcome.status = arguments.ok() ? instance->status : arguments.status();
    if (outcome.status.ok()) outcome = call->method->invoke(instance->object.get(), *arguments);
    return SettleLocal(*call->core, *call->method, std::move(outcome), call->FactsHere(services_.options),
                       FailuresOf(call->arguments));
  }
  call->own = true;
  Submit(call);
}

// ---- frames
void Process::OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame frame) {
  Message message;
  if (const absl::Status decoded = DecodeMessage(frame, &message); !decoded.ok()) {
    // Whatever it was, somebody waits for what it would have said: both sides had better know that nothing comes.
    base::Log(base::LogLevel::kError, absl::StrCat("process ", from,
                                                   " has sent what is no message: the connection to "
                                                   "it is given up: ",
                                                   decoded.message()));
    return services_.transport->Lose(
        from, absl::UnavailableError(absl::StrCat("it has sent what is no message: ", decoded.message())));
  }
  router_->Route(from, message);
}

void Process::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  if (ended_) return;  // what is under way ends with this process's own end: the peer is as it was
  constructions_.OnGone({&peer, 1});
  const absl::Status failed = ending_ ? absl::OkStatus() : why;
  lost_.Add(peer, failed);
  caller_->OnLost(peer, why);
  host_->OnLost(peer, failed);
  exchange_->OnLost(peer, why);
  accounts_->OnLost(peer);
  if (services_.options.group.empty() && !ending_) lost_makers_.Add(peer);
}

}  // namespace twinkle::actor
