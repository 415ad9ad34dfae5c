#include "runtime/actor/call_maker.h"

#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/call_arguments.h"
#include "runtime/actor/component_ref.h"
#include "runtime/actor/context.h"
#include "runtime/actor/user_api.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using internal::ComponentRef;
using internal::LazyCore;

std::shared_ptr<OutgoingCall> CallMaker::NewCall(Operation operation, const ComponentRef& component,
                                                 internal::CallSite site) {
  auto call = std::make_shared<OutgoingCall>();
  call->id = next_++;
  call->operation = operation;
  call->component = {component.shared_from_this(), &component.info};
  call->class_info = component.class_info;
  call->site = site;
  call->constructed = operation == Operation::kConstruct ? nullptr : component.constructed;
  // In one process a method may hold a handle of the program's, too: that makes calls of the program's.
  const CallContext* const within = CurrentContext();
  if (within != nullptr && within->object->api->IsOf(services_)) call->parent = within->call;
  return call;
}

std::shared_ptr<OutgoingCall> CallMaker::NewMethodCall(const ComponentRef& component, CallRequest& request,
                                                       bool leaves) {
  auto call = NewCall(Operation::kMethod, component, request.site);
  call->method = request.method;
  call->rank = request.rank;
  call->arguments = std::move(request.arguments);
  absl::Status bad = SnapshotArguments(call->arguments, request.method->parameters);
  if (bad.ok()) bad = CheckArguments(call->arguments, leaves, services_.options.job);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, request.collected, request.answer));
  if (!bad.ok()) call->core->Fail(base::Annotate(bad, call->Name().text()));
  return call;
}

internal::LazyOrigin CallMaker::OriginFor(const OutgoingCall& call, const internal::Type* collected,
                                          internal::AnswerOps answer) {
  internal::LazyOrigin origin;
  origin.what = call.Name();
  origin.collected = collected;
  origin.answer = answer;
  origin.store = services_.binder->store();
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

void CallMaker::Submit(std::shared_ptr<OutgoingCall> call) {
  const std::shared_ptr<LazyCore> core = call->core;
  const MadeIn made_in = CurrentContext() != nullptr ? MadeIn::kMethod : MadeIn::kThread;
  const WithoutRoom without_room = call->operation != Operation::kMethod ? WithoutRoom::kAddAnyway
                                   : made_in == MadeIn::kMethod          ? WithoutRoom::kFail
                                                                         : WithoutRoom::kBlock;
  // The lazy hears of its call before the Caller does: the call may settle as soon as it is known.
  core->SetCall(std::shared_ptr<internal::CallOwner>(core->origin().store, &caller_), call->id);
  if (const absl::Status room = caller_.Announce(*call, without_room, made_in); !room.ok()) {
    const absl::Status refused = base::Annotate(room, core->origin().what.text());
    if (absl::IsCancelled(room)) return core->FailAsWished(refused);
    return core->Fail(refused);
  }
  call->caller = &caller_;
  // The task is as small as it can be, so that it needs no memory of its own.
  if (!services_.service->Post([call = std::move(call)]() mutable { Caller::Submit(std::move(call)); })) {
    core->Fail(base::Annotate(base::SessionEnded(), core->origin().what.text()));
  }
}

void CallMaker::AwaitIfSync(LazyCore& core, const ComponentRef& component, const CallRequest& request) {
  const internal::MethodInfo& method = *request.method;
  const bool sync = method.sync.value_or(component.info.sync.value_or(services_.options.sync));
  const bool lazy = method.lazy_collect.value_or(component.info.lazy_collect.value_or(services_.options.lazy_collect));
  if (!lazy && request.collected != nullptr && !method.each) {
    core.WaitAnswered();
  } else if (sync || !lazy) {
    core.WaitSettled();
  }
}

bool CallMaker::IsTooLate() const { return caller_.pending().closed_to_threads() && CurrentContext() == nullptr; }

}  // namespace twinkle::actor
