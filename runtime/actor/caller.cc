#include "runtime/actor/caller.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/actor/argument_plan.h"
#include "runtime/actor/binder.h"
#include "runtime/actor/relays.h"
#include "runtime/base/log.h"
#include "runtime/base/memory.h"
#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::LazyCore;
using internal::ParameterInfo;
using State = OutgoingCall::State;

// ---- the outbox
void Caller::Submit(CallPtr call) {
  Caller& self = *call->caller;
  self.Enter(std::move(call));
}

void Caller::Enter(CallPtr call) {
  calls_[call->id] = call;
  if (call->ends_with_parent()) {
    if (call->parent->cancellation.IsCancelled()) return EndWithParent(call, call->parent->cancellation.why());
    call->JoinParent();
  }
  if (!killed_.empty()) {
    const auto killed = killed_.find(call->component->workers.front());
    if (killed != killed_.end()) return EndEarly(call, KilledStatus(*call, killed->second), killed->second);
  }
  const uint64_t component = call->component->id;
  if (outboxes_.find(component) == outboxes_.end() && TakeTurn(call)) return departures_.Pump(call->component->domain);
  outboxes_[component].push_back(std::move(call));
}

void Caller::Pump(uint64_t component) {
  uint64_t domain = 0;
  for (auto outbox = outboxes_.find(component); outbox != outboxes_.end(); outbox = outboxes_.find(component)) {
    const CallPtr call = outbox->second.front();
    domain = call->component->domain;
    if (!TakeTurn(call)) break;
    std::deque<CallPtr>& calls = outboxes_[component];
    calls.pop_front();
    if (calls.empty()) outboxes_.erase(component);
  }
  if (domain != 0) departures_.Pump(domain);
}

// Whether the first call of an outbox has left it: its arguments and its plan are there, or it has settled.
bool Caller::TakeTurn(const CallPtr& call) {
  if (call->in_outbox() && !ArgumentsReady(call)) return false;
  if (!call->in_outbox()) return true;  // it is cancelled, an argument failed, or its plan has come
  if (ConstructionFailed(call)) return true;
  if (call->own) {
    SendOwn(call);
    return true;
  }
  if (PlansWithUserCode(*call)) {
    PlanOnCollector(call);
    return false;
  }
  Depart(call, codec::Guarded([&] { return PlanArguments(*call, services_.options); }));
  return true;
}

// Lets a call leave the outbox with its plan, good or bad.
void Caller::Depart(const CallPtr& call, const absl::Status& plan) {
  if (!plan.ok()) return Settle(call, base::Annotate(plan, call->Name().text()));
  if (call->argument_bytes >= base::kLargeBytes) pending_->SetBytes(call->id, call->argument_bytes);
  PlanRelaysOf(*call);
  call->To(State::kReady);
  departures_.Add(call);
}

// Plans that what several ranks read comes to each machine once.
void Caller::PlanRelaysOf(OutgoingCall& call) {
  if (call.workers.size() < 2 || !call.may_have_lazies()) return;
  std::vector<rpc::ProcessId> workers;
  for (size_t i = 0; i < call.workers.size(); ++i) workers.push_back(call.process(i));
  PlanRelays(workers, *services_.placement, &next_relay_, {call.parts.data(), call.parts.size()});
}

// Hands on a call to this process's own object. It is under way until it has settled.
void Caller::SendOwn(const CallPtr& call) {
  call->To(State::kSent);
  call->core->OnSettled([self = weak_from_this(), queue = services_.service, id = call->id] {
    queue->Post([self, id] {
      if (const auto caller = self.lock()) caller->OnOwnSettled(id);
    });
  });
  StartTimer(call);
  own_calls_.OnOwnCall(*call);
}

void Caller::OnOwnSettled(uint64_t id) {
  const auto call = calls_.extract(id);
  if (!call.empty()) Leave(*call.mapped());
}

// Settles a method call on a component whose construction has failed here already, with that cause.
bool Caller::ConstructionFailed(const CallPtr& call) {
  if (call->constructed == nullptr || !call->constructed->Ready() || call->operation != Operation::kMethod)
    return false;
  const absl::Status status = call->constructed->status();
  if (status.ok() || absl::IsAborted(status)) return false;  // an aborted group answers for itself
  Settle(call, status);
  return true;
}

// Has the call's arguments split on the collector. Nobody else touches its plan meanwhile, nor its arguments.
void Caller::PlanOnCollector(const CallPtr& call) {
  if (!call->To(State::kPlanning)) return;
  services_.collector->Post([self = weak_from_this(), queue = services_.service, call, options = services_.options] {
    const absl::Status plan = codec::Guarded([&] { return PlanArguments(*call, options); });
    queue->Post([self, call, plan] {
      if (const auto caller = self.lock()) caller->OnPlan(call, plan);
    });
  });
}

void Caller::OnPlan(const CallPtr& call, const absl::Status& plan) {
  if (call->in_outbox() && !ConstructionFailed(call)) Depart(call, plan);
  if (call->state() == State::kSettled) call->arguments.clear();  // the planner does not look at them any more
  Pump(call->component->id);
}

namespace {

// Calls f(index, lazy) for each lazy among the arguments and the elements of PerRanks. Stops when f gives false.
template <class F>
bool EachLazy(const std::vector<CallArgument>& arguments, F&& f) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const CallArgument& argument = arguments[i];
    if (argument.kind == CallArgument::Kind::kLazy && !f(i, argument.lazy)) return false;
    for (const CallArgument& element : argument.per_rank) {
      if (element.kind == CallArgument::Kind::kLazy && !f(i, element.lazy)) return false;
    }
  }
  return true;
}

// What a call needs of a lazy that is an argument.
enum class Need {
  kRows,          // its value, of which the ranks fetch their rows themselves
  kValue,         // its value, fetched: it is looked at here
  kReference,     // what it is made of
  kOwnReference,  // nothing: it stays in this process
};
Need NeedOf(const OutgoingCall& call, size_t index) {
  const bool by_value = call.parameters()[index].kind == ParameterInfo::Kind::kValue;
  if (!by_value) return call.own ? Need::kOwnReference : Need::kReference;
  return call.own || PlansWithUserCode(call) ? Need::kValue : Need::kRows;
}

// Whether the call has to wait until the value of a lazy is fetched. REQUIRES: it has settled well.
bool AwaitsValue(Need need, const LazyCore& lazy) {
  switch (need) {
    case Need::kRows:
      return NeedsValue(lazy, /*always=*/false);
    case Need::kValue:
      return NeedsValue(lazy, /*always=*/true);
    case Need::kReference:  // others cannot read values of this process: what is made of some goes as its own value
      return NeedsValue(lazy, /*always=*/!lazy.made_of().OfObjects());
    case Need::kOwnReference:
      break;
  }
  return false;
}

}  // namespace

// Whether the call's arguments are there. Settles the call when one has failed; then it is no longer in the outbox.
bool Caller::ArgumentsReady(const CallPtr& call) {
  if (!call->may_have_lazies()) return true;
  const std::vector<CallArgument> arguments = call->arguments;  // settling drops them
  return EachLazy(arguments, [&](size_t i, const std::shared_ptr<LazyCore>& lazy) {
    if (!call->in_outbox()) return true;
    if (!lazy->Ready()) {
      Watch(call);
      return false;
    }
    const Need need = NeedOf(*call, i);
    if (const absl::Status status = lazy->status(); !status.ok()) {
      if (need == Need::kReference || need == Need::kOwnReference) return true;  // the callee hears of it
      Settle(call, base::Annotate(status, absl::StrCat(call->Name().text(), ": its argument ", i + 1, " failed")),
             {lazy->failure()});
      return true;
    }
    if (!AwaitsValue(need, *lazy)) return true;
    Watch(call);
    return false;
  });
}

void Caller::Watch(const CallPtr& call) {
  if (!call->To(State::kWatching)) return;
  const auto again = [self = weak_from_this(), queue = services_.service, component = call->component->id] {
    queue->Post([self, component] {
      if (const auto caller = self.lock()) caller->Pump(component);
    });
  };
  EachLazy(call->arguments, [&](size_t i, const std::shared_ptr<LazyCore>& lazy) {
    lazy->OnSettled([lazy, again, need = NeedOf(*call, i)] {
      again();
      if (lazy->status().ok() && AwaitsValue(need, *lazy)) lazy->OnAnswered(again);
    });
    return true;
  });
}

// ---- sending
CallMessage Caller::MessageFor(OutgoingCall& call, size_t index) const {
  CallMessage message;
  message.call = call.id;
  message.operation = call.operation;
  message.component = call.component->id;
  message.method = call.method != nullptr        ? call.method->name
                   : call.constructor != nullptr ? std::string(call.constructor->key)
                                                 : std::string();
  message.each = call.method != nullptr && call.method->each;
  message.keep = call.uses(index);
  message.arguments = std::move(call.parts[index]);
  message.file = BaseName(call.site.file);
  message.line = call.site.line;
  message.lineage = LineageOf(call);
  if (call.component->maker != services_.options.id) message.maker = call.component->maker;
  if (call.operation == Operation::kConstruct) message.info = {*call.component};
  return message;
}

std::optional<Lineage> Caller::LineageOf(const OutgoingCall& call) const {
  const bool limited = call.deadline != base::kForever;
  if (call.parent == nullptr && !limited) return std::nullopt;
  Lineage lineage;
  if (call.parent != nullptr) {
    lineage.parent = call.parent->id;
    lineage.trace = call.parent->trace;
  } else {
    lineage.trace = TraceOf({services_.options.id, call.id});
  }
  if (limited) {
    const absl::Duration left = call.deadline - services_.executor->Now();
    lineage.time_left_ns = std::max<int64_t>(0, absl::ToInt64Nanoseconds(left));
  }
  return lineage;
}

namespace {

// The processes of the call's domain that do not run it. A call to a whole group has none, and costs no search: else n
// ranks would be n * n steps, which at 4,000 ranks is milliseconds.
std::vector<rpc::ProcessId> OthersOf(const OutgoingCall& call) {
  std::vector<rpc::ProcessId> others;
  const std::vector<rpc::ProcessId>& domain = call.component->domain_workers;
  if (call.workers.size() == domain.size()) return others;
  absl::flat_hash_set<rpc::ProcessId> run;
  for (size_t i = 0; i < call.workers.size(); ++i) run.insert(call.process(i));
  std::copy_if(domain.begin(), domain.end(), std::back_inserter(others),
               [&](rpc::ProcessId process) { return !run.contains(process); });
  return others;
}

// The position of a process among the call's workers; their count: it is none of them. Processes of a group are
// numbered in its order, so in a call to the whole group the first guess is right.
size_t PositionOf(const OutgoingCall& call, rpc::ProcessId process) {
  const uint64_t guess = process - call.component->workers.front();
  if (guess < call.workers.size() && call.process(guess) == process) return guess;
  size_t position = 0;
  while (position < call.workers.size() && call.process(position) != process) ++position;
  return position;
}

}  // namespace

void Caller::OnDeparture(const CallPtr& call, uint64_t number, uint64_t after) {
  call->To(State::kSent);
  call->replies.resize(call->workers.size());
  call->missing = call->workers.size();
  StartTimer(call);
  const uint64_t domain = call->component->domain;
  for (size_t i = 0; i < call->workers.size() && call->missing > 0; ++i) {
    CallMessage message = MessageFor(*call, i);
    message.order = {domain, number, after};
    const absl::Status sent = services_.transport->Send(call->process(i), rpc::Stream::kData, EncodeMessage(message));
    if (absl::IsCancelled(sent)) break;  // this process ends: so does the call, at once, with the reason
    if (!sent.ok()) OnAnswerOf(call, i, absl::AbortedError(absl::StrCat("its process is gone: ", sent.message())));
  }
  if (number != 0) {
    for (rpc::ProcessId other : OthersOf(*call)) {
      services_.Send(other, rpc::Stream::kData, SkipMessage{domain, true, {number}});
    }
  }
  call->parts.clear();
}

void Caller::OnNoDeparture(const CallPtr& call, const absl::Status& why) {
  Settle(call, Failed(FactsOf(*call, 0), why));
}

// ---- replies
CallFacts Caller::FactsOf(const OutgoingCall& call, size_t index) const {
  if (call.own) return call.FactsHere(services_.options);
  CallFacts facts = call.Facts();
  if (index < call.workers.size()) {
    facts.rank = call.workers[index];
    facts.place = services_.placement->PlaceOf(call.process(index));
  }
  return facts;
}

std::shared_ptr<const object::HeldObject> Caller::Hold(const OutgoingCall& call, size_t index) {
  const uint64_t id = call.replies[index]->object;
  if (id == 0) return nullptr;
  return std::make_shared<object::HeldObject>(services_.binder->store(), object::ObjectRef{call.process(index), id});
}

void Caller::OnReply(rpc::ProcessId from, ReplyMessage&& reply) {
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  const CallPtr call = found->second;
  if (call->replies.empty()) return;  // it was not sent yet: nobody can answer it
  const size_t index = PositionOf(*call, from);
  if (index == call->workers.size() || call->replies[index]) return;  // it owes nothing
  if (absl::Status failed = reply.failure ? FromWire(*reply.failure) : absl::OkStatus(); !failed.ok()) {
    return OnAnswerOf(call, index, std::move(failed));
  }
  OnAnswerOf(call, index, std::move(reply));
}

void Caller::OnAnswerOf(const CallPtr& call, size_t index, absl::StatusOr<ReplyMessage> answer) {
  // After its time limit an answer counts no more, unless it says that the call had not begun.
  const bool counts = call->state() != State::kLate || absl::IsDeadlineExceeded(answer.status());
  const absl::Status outcome = counts ? answer.status() : call->late;
  call->replies[index] = answer.ok() ? *std::move(answer) : ReplyMessage();
  --call->missing;
  if (!outcome.ok() && call->under_way()) {
    const bool told = outcome.GetPayload(kDetailUrl).has_value();
    const absl::Status whole = told ? outcome : Failed(FactsOf(*call, index), outcome);
    Settle(call, whole);
    TellRanks(call, whole);
  } else if (call->state() == State::kSettled) {
    Hold(*call, index);  // takes the reference and gives it back
  }
  if (call->missing > 0) return;
  if (call->under_way()) Succeed(call);
  calls_.erase(call->id);
  call->arguments.clear();
}

void Caller::Succeed(const CallPtr& call) {
  std::vector<int> still_had;
  for (size_t i = 0; i < call->workers.size(); ++i) {
    if (call->replies[i]->more) still_had.push_back(call->workers[i]);
  }
  const bool ended = still_had.size() < call->workers.size();
  object::Shards shards;
  for (size_t i : call->used) {
    ReplyMessage& reply = *call->replies[i];
    if (reply.object == 0 && !ended) {
      return Settle(call, Failed(FactsOf(*call, i), absl::InternalError("its answer brings no result")));
    }
    if (reply.rows.empty()) reply.rows.resize(1);  // whole
    object::Shard shard{Hold(*call, i), std::move(reply.rows), reply.bytes, std::nullopt};
    if (reply.carried) {
      absl::StatusOr<codec::Encoded> carried = Unpack(*std::move(reply.carried));
      if (carried.ok()) shard.carried = *std::move(carried);  // else it is pulled when it is asked for
    }
    shards.push_back(std::move(shard));
  }
  if (ended) {
    EndIteration(call, still_had);
  } else {
    call->core->Succeed(std::move(shards));
  }
  Settle(call, absl::OkStatus());
}

void Caller::EndIteration(const CallPtr& call, const std::vector<int>& still_had) {
  if (!still_had.empty()) {
    base::Log(base::LogLevel::kWarning,
              absl::StrCat(call->Name().text(), ": the iteration ends because a rank has no more items; ranks ",
                           absl::StrJoin(still_had, ", "), " still had one, which is dropped"));
  }
  call->core->End();
}

}  // namespace twinkle::actor
