// The ends of calls before, or without, their replies: settled, cancelled, out of time, lost.
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/caller.h"
#include "runtime/base/cancellation.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using State = OutgoingCall::State;

namespace {

// The limit for ranks to say whether a call had begun whose time limit has passed.
constexpr absl::Duration kAnswerLimit = absl::Seconds(1);

// Looks at a failure that comes of the parent's: who looks at that one knows.
void LookAt(const OutgoingCall& call, const absl::Status& status) {
  const auto failure = call.core->failure();
  if (failure != nullptr && failure->status() == status) failure->Look();
}

// The calls that `concerned` says, in the order in which they were made.
template <class Calls, class Concerned>
std::vector<typename Calls::mapped_type> Ordered(const Calls& calls, const Concerned& concerned) {
  std::vector<typename Calls::mapped_type> ordered;
  for (const auto& [id, call] : calls) {
    if (concerned(*call)) ordered.push_back(call);
  }
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  return ordered;
}

}  // namespace

// ---- the end of a call
// Forgets a call of which nobody but the ranks need know any more.
void Caller::Leave(OutgoingCall& call) {
  call.LeaveParent();
  if (call.deadline != base::kForever) deadlines_.erase({call.deadline, call.id});
}

Caller::Causes Caller::CausesOf(const OutgoingCall& call) const {
  Causes causes;
  const auto unmade = call.constructed == nullptr ? nullptr : call.constructed->failure();
  // A call on a component that was killed is a failure all the same, also where it was still under construction.
  const bool killed = killed_.count(call.component->workers.front()) > 0;
  if (unmade != nullptr && !(killed && unmade->is_wished())) causes.push_back(unmade);
  for (rpc::ProcessId worker : call.component->workers) {
    if (auto loss = services_.failures->LossOf(worker)) causes.push_back(std::move(loss));
  }
  return causes;
}

void Caller::Settle(const CallPtr& call, const absl::Status& status) {
  Settle(call, status, status.ok() ? Causes() : CausesOf(*call));
}

void Caller::Settle(const CallPtr& call, const absl::Status& status, Causes causes) {
  const bool sent = call->under_way();
  const bool being_planned = call->state() == State::kPlanning;
  call->To(State::kSettled);
  Leave(*call);
  if (!status.ok()) call->core->Fail(status, std::move(causes));
  if (sent) {
    for (size_t i = 0; i < call->replies.size() && !status.ok(); ++i) {
      if (call->replies[i]) Hold(*call, i);
    }
  } else {
    calls_.erase(call->id);
    if (call->operation == Operation::kConstruct && !status.ok()) {  // nobody else need wait for it
      for (rpc::ProcessId worker : call->component->workers) {
        services_.Send(worker, rpc::Stream::kData, GoneMessage{call->component->id, ToWire(status)});
      }
    }
    if (!being_planned) call->arguments.clear();  // else the planner still looks at them
  }
}

void Caller::TellRanks(const CallPtr& call, const absl::Status& why, bool ask) {
  for (size_t i = 0; i < call->workers.size(); ++i) {
    if (call->replies[i]) continue;
    services_.Send(call->process(i), rpc::Stream::kControl, CancelMessage{call->id, ToWire(why), ask});
  }
}

void Caller::CancelCall(uint64_t call, const std::string& what) {
  services_.service->Post([caller = shared_from_this(), call, what] {
    caller->Cancel(call, absl::CancelledError(absl::StrCat(what, " was cancelled")));
  });
}

void Caller::Cancel(uint64_t id, const absl::Status& why) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const CallPtr call = found->second;
  EndEarly(call, why, why);
}

void Caller::CancelMadeIn(RunningCall& parent, const absl::Status& why) {
  while (parent.children != nullptr) {
    const CallPtr child = parent.children->shared_from_this();
    child->caller->EndWithParent(child, why);
  }
}

void Caller::EndWithParent(const CallPtr& call, const absl::Status& why) {
  call->LeaveParent();
  const absl::Status status = base::GivenUp(call->Name().text(), why);
  EndEarly(call, status, why);
  LookAt(*call, status);
}

void Caller::EndEarly(const CallPtr& call, const absl::Status& status, const absl::Status& why) {
  EndEarly(call, status, why, CausesOf(*call));
}

void Caller::EndEarly(const CallPtr& call, const absl::Status& status, const absl::Status& why, Causes causes) {
  if (call->state() == State::kSettled) return;
  const bool sent = call->under_way();
  const uint64_t component = call->component->id;
  const uint64_t domain = call->component->domain;
  Settle(call, status, std::move(causes));
  if (sent && call->own) return own_calls_.OnOwnCancel(call->id, why);
  if (sent) return TellRanks(call, why);
  Pump(component);
  departures_.Pump(domain);
}

// ---- the end of a group that this process has killed
// The failure of a call, as the first of its ranks would have told it.
absl::Status Caller::KilledStatus(const OutgoingCall& call, const absl::Status& why) const {
  CallFacts facts = call.Facts();
  const std::vector<rpc::ProcessId>& workers = call.component->workers;
  const bool is_one = call.rank && *call.rank >= 0 && *call.rank < static_cast<int>(workers.size());
  facts.rank = is_one ? *call.rank : 0;
  facts.place = services_.placement->PlaceOf(workers[static_cast<size_t>(facts.rank)]);
  return Failed(facts, why);
}

void Caller::OnKilled(const std::vector<rpc::ProcessId>& workers, const absl::Status& why) {
  for (rpc::ProcessId worker : workers) killed_.emplace(worker, why);
  std::vector<CallPtr> calls = Ordered(calls_, [this](const OutgoingCall& call) {
    return !call.own && killed_.count(call.component->workers.front()) > 0;
  });
  // Later calls end first: none is sent, or told as a failure, because one before it in its queue, or on which it
  // depends, has ended.
  std::reverse(calls.begin(), calls.end());
  const auto wished = std::make_shared<object::Failure>(why, Causes(), object::Failure::Kind::kWished);
  for (const CallPtr& call : calls) {
    EndEarly(call, KilledStatus(*call, why), why, {wished});  // as wished, since its cause is
  }
}

void Caller::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  departures_.OnLost(peer, why);
  // A constructor fails before the calls that have it as a cause.
  for (const CallPtr& call : Ordered(calls_, [](const OutgoingCall& call) { return call.missing > 0; })) {
    for (size_t i = 0; i < call->workers.size(); ++i) {
      if (call->process(i) != peer || call->replies[i]) continue;
      OnAnswerOf(call, i, absl::AbortedError(absl::StrCat("its process is gone: ", why.message())));
    }
  }
}

void Caller::FailAll(const absl::Status& why) {
  pending_->FailAll(why);
  for (const auto& [id, call] : calls_) Leave(*call);
  calls_.clear();
  outboxes_.clear();
  departures_.Clear();
}

// ---- time limits
// Starts a call's time. Its own limit begins when its arguments are known and it has its number; its parent's has begun
// already.
void Caller::StartTimer(const CallPtr& call) {
  const bool own = call->method != nullptr && call->method->timeout_ns != 0;
  const bool parents = call->ends_with_parent() && call->parent->deadline != base::kForever;
  if (!own && !parents) return;
  const base::Instant now = services_.executor->Now();
  if (own) call->limit = absl::Nanoseconds(call->method->timeout_ns);
  if (parents) call->limit = std::min(call->limit, call->parent->deadline - now);
  call->deadline = now + call->limit;
  deadlines_.emplace(call->deadline, call->id);
  ArmTimer();
}

// Arms one timer, for the call whose limit passes first. Most calls settle before, and would leave one behind.
void Caller::ArmTimer() {
  if (deadlines_.empty() || deadlines_.begin()->first >= timer_at_) return;
  timer_at_ = deadlines_.begin()->first;
  services_.service->PostAfter(timer_at_ - services_.executor->Now(), [self = weak_from_this(), at = timer_at_] {
    if (const auto caller = self.lock()) caller->OnTimer(at);
  });
}

void Caller::OnTimer(base::Instant at) {
  if (at != timer_at_) return;  // there is an earlier one
  timer_at_ = base::kForever;
  const base::Instant now = services_.executor->Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const CallPtr call = calls_.at(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    Expire(call);
  }
  ArmTimer();
}

// Ends a call whose limit has passed. Its ranks are told, and say whether they had begun: their answer, or that there
// is none, is what the call comes to.
void Caller::Expire(const CallPtr& call) {
  const bool own = call->method != nullptr && absl::Nanoseconds(call->method->timeout_ns) == call->limit;
  const std::string limit = absl::FormatDuration(call->limit);
  const absl::Status why = absl::DeadlineExceededError(
      own ? absl::StrCat("not done within its time limit of ", limit)
          : absl::StrCat("not done within ", limit, ", which the call in whose method it was made had left"));
  const size_t first =
      static_cast<size_t>(std::find(call->replies.begin(), call->replies.end(), std::nullopt) - call->replies.begin());
  const absl::Status late = Failed(FactsOf(*call, first), why);
  if (call->own) return EndEarly(call, late, why);
  call->late = late;
  call->To(State::kLate);
  TellRanks(call, why, /*ask=*/true);
  services_.service->PostAfter(kAnswerLimit, [self = weak_from_this(), id = call->id] {
    if (const auto caller = self.lock()) caller->OnBegun({id});
  });
}

void Caller::OnBegun(const BegunMessage& begun) {
  const auto found = calls_.find(begun.call);
  if (found == calls_.end() || found->second->state() != State::kLate) return;
  const CallPtr call = found->second;
  Settle(call, call->late);
}

}  // namespace twinkle::actor
