// Calls whose turn has come, and components that are not there yet, or not any more.
#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/actor/host.h"

namespace twinkle::actor {

using CallState = IncomingCall::State;

namespace {

absl::Status NeverMade(const absl::Status& why) {
  return absl::AbortedError(
      absl::StrCat("the component was never constructed: the process that was to do it is gone: ", why.message()));
}

}  // namespace

void Host::OnTurn(const CallPtr& call) {
  if (call->state != CallState::kArrived) return;
  if (!aborted_.ok()) return AnswerUnrun(call, aborted_);
  if (call->instance == nullptr && Has(call->message.component)) {
    // The call arrived before its component, from another process, and its turn comes after that.
    call->arguments_missing = 1;
    BeginArguments(call);
  }
  if (call->instance == nullptr) return Orphan(call);
  if (!call->instance->fits.ok()) return AnswerUnrun(call, call->instance->fits);
  call->state = CallState::kReleased;
  call->instance->context.lane->Add(call);
  if (call->message.operation == Operation::kConstruct) AdoptOrphans(call->message.component);
}

// Keeps a call whose component's construction is still on the way. If the component is gone, answers it.
void Host::Orphan(const CallPtr& call) {
  const uint64_t component = call->message.component;
  if (const absl::Status gone = gone_.Why(component); !gone.ok()) return AnswerUnrun(call, gone);
  const rpc::ProcessId maker = call->message.maker.value_or(call->caller);
  if (const absl::Status* why = lost_.Why(maker)) return AnswerUnrun(call, NeverMade(*why));
  Orphans& orphans = orphans_[component];
  orphans.maker = maker;
  orphans.calls.push_back(call);
}

// Puts calls that came before their component behind its construction.
void Host::AdoptOrphans(uint64_t component) {
  const auto orphans = orphans_.extract(component);
  if (orphans.empty()) return;
  for (const CallPtr& call : orphans.mapped().calls) OnTurn(call);
}

void Host::OnGone(const GoneMessage& gone) { Unmake(gone.component, FromWire(gone.why)); }

void Host::OnOrphaned(const OrphanedMessage& orphaned) {
  if (Has(orphaned.component) || !gone_.Why(orphaned.component).ok()) return;
  if (const absl::Status* why = lost_.Why(orphaned.maker)) return UnmakeForGood(orphaned.component, *why);
  orphans_[orphaned.component].maker = orphaned.maker;  // its last words are still on the way
}

void Host::Unmake(uint64_t component, const absl::Status& why) {
  gone_.Add(component, why);
  std::shared_ptr<Instance> instance;
  {
    base::MutexLock lock(&mutex_);
    if (const auto found = instances_.find(component); found != instances_.end()) instance = found->second;
  }
  if (instance == nullptr) {
    EndOrder(component, why);
  } else {  // its object, if there is one, is destroyed on its lane; EndOrder follows
    auto destroy = std::make_shared<IncomingCall>();
    destroy->host = this;
    destroy->caller = services_.options.id;
    destroy->message.operation = Operation::kDestroy;
    destroy->message.component = component;
    destroy->running->cancellation.Cancel(why);
    destroy->instance = instance;
    destroy->arguments_missing = 0;
    destroy->state = CallState::kReleased;
    instance->context.lane->Add(std::move(destroy));
  }
  AdoptOrphans(component);
}

void Host::EndOrder(uint64_t component, const absl::Status& why) {
  std::vector<CallPtr> waiting;
  for (const auto& [key, call] : calls_) {
    if (call->message.component == component && call->state == CallState::kArrived) waiting.push_back(call);
  }
  for (const CallPtr& call : waiting) AnswerUnrun(call, why);
  domains_.Forget(component, why);  // that of a device group stays
}

void Host::UnmakeOf(rpc::ProcessId maker, const absl::Status& why) {
  std::vector<uint64_t> unmade;
  for (const auto& [component, orphans] : orphans_) {
    if (orphans.maker == maker) unmade.push_back(component);
  }
  for (uint64_t component : unmade) UnmakeForGood(component, why);
}

void Host::UnmakeForGood(uint64_t component, const absl::Status& why) {
  Unmake(component, NeverMade(why));
  // The directory may block. Whoever is told first by one of the ranks forgets the name.
  services_.collector->Post([directory = services_.directory, component] { directory->RemoveComponent(component); });
}

// ---- numbers
absl::Status Host::WhyGone(uint64_t domain) const { return Has(domain) ? absl::OkStatus() : gone_.Why(domain); }

// A call is skipped whose caller is gone, and which not all ranks had received.
void Host::OnSkipped(uint64_t domain, uint64_t number) {
  std::vector<CallPtr> concerned;
  for (const auto& [key, call] : calls_) {
    if (call->message.order.domain == domain && call->message.order.number == number) concerned.push_back(call);
  }
  for (const CallPtr& call : concerned) {
    const absl::Status gone = absl::AbortedError("its caller is gone, and not all ranks had received the call");
    CancelCall(call, gone);
    if (call->state == CallState::kArrived) AnswerUnrun(call, gone);
  }
  if (const auto half = MadeBy(domain, number)) {
    const absl::Status* const why = lost_.Why(half->info.maker);
    UnmakeForGood(half->info.id, why != nullptr ? *why : absl::AbortedError("it left"));
  }
}

std::shared_ptr<Instance> Host::MadeBy(uint64_t domain, uint64_t number) const {
  base::MutexLock lock(&mutex_);
  for (const auto& [id, instance] : instances_) {
    if (instance->info.domain == domain && instance->number == number) return instance;
  }
  return nullptr;
}

}  // namespace twinkle::actor
