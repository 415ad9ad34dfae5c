#include "runtime/actor/local/local_calls.h"

#include <absl/strings/str_cat.h>

#include <mutex>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/direct_call.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;

namespace {

constexpr uint64_t kLocalComponent = uint64_t{1} << 62;  // ids that the directory does not give out

// The component, which this has made.
const LocalComponent& Mine(const ComponentRef& component) { return static_cast<const LocalComponent&>(component); }

}  // namespace

// ---- making
absl::StatusOr<Calls::Component> LocalCalls::New(const internal::ClassInfo& class_info,
                                                 const internal::ConstructorInfo& constructor,
                                                 const NewOptions& options, std::vector<CallArgument> arguments,
                                                 CallSite site) {
  if (!options.name.empty() && services_.directory->FindComponent(options.name).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", options.name, "' already"));
  }
  const std::shared_ptr<LocalComponent> component = Describe(class_info, options);
  LocalObject& object = *component->object;
  const auto call = maker_.NewCall(Operation::kConstruct, *component, site);
  call->core = std::make_shared<LazyCore>(maker_.OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  const CallFacts facts = call->FactsHere(services_.options);
  const std::lock_guard lock(object.mutex);  // others that find it wait until it is constructed
  TWINKLE_ASSIGN_OR_RETURN(const Component kept, components_.Add(component, options.instance_id));
  if (kept != component) return kept;
  if (const absl::Status* aborted = WhyAborted(*component)) {
    object.End(*aborted);
    call->core->Fail(Failed(facts, *aborted));
    return kept;
  }
  internal::Outcome made = Construct(*component, constructor, arguments);
  if (const absl::Status* aborted = WhyAborted(*component)) {  // meanwhile
    object.End(*aborted);
    call->core->FailAsWished(Failed(facts, *aborted));
    return kept;
  }
  object.value = std::move(made.value);
  object.status = Failed(facts, made.status);
  if (object.status.ok()) {
    call->core->Succeed({});
  } else {
    call->core->Fail(object.status, FailuresOf(arguments));
  }
  return kept;
}

std::shared_ptr<LocalComponent> LocalCalls::Describe(const internal::ClassInfo& class_info, const NewOptions& options) {
  auto component = std::make_shared<LocalComponent>();
  component->class_info = &class_info;
  component->calls = {services_.binder->store(), this};
  component->info.group = options.group;
  component->info.class_name = std::string(class_info.name);
  component->info.name = options.name;
  component->info.mesh = options.mesh ? options.mesh : services_.options.session_mesh;
  component->info.sync = options.sync;
  component->info.lazy_collect = options.lazy_collect;
  component->id = kLocalComponent | next_++;
  if (options.local && !options.group.empty()) component->group = components_.GroupNamed(options.group);
  return component;
}

internal::Outcome LocalCalls::Construct(const LocalComponent& component, const internal::ConstructorInfo& constructor,
                                        std::vector<CallArgument>& arguments) const {
  absl::StatusOr<std::vector<internal::Argument>> values = DirectArguments(arguments, constructor.parameters);
  if (!values.ok()) return {values.status(), nullptr, true};
  const CallContext context = ContextOf(component);
  const ContextScope scope(&context);
  return constructor.construct(*values);
}

// The context of calls on an object. It is that of its caller, but for the object's own mesh.
CallContext LocalCalls::ContextOf(const LocalComponent& component) const {
  const CallContext* const outer = CurrentContext();
  auto facts = std::make_shared<internal::RankFacts>(outer == nullptr ? *facts_ : *outer->object->facts);
  facts->mesh = component.info.mesh;
  facts->component = component.id;
  auto object = std::make_shared<ObjectContext>();
  object->api = services_.binder->api();
  object->facts = std::move(facts);
  CallContext context = outer == nullptr ? CallContext() : *outer;
  context.object = std::move(object);
  return context;
}

// Why calls on the object fail whose group has ended. Null: the group has not, or the session has, which says so
// itself.
const absl::Status* LocalCalls::WhyAborted(const LocalComponent& component) const {
  return component.group == nullptr || services_.life.stopped() ? nullptr : component.group->WhyEnded();
}

// ---- calls
std::shared_ptr<LazyCore> LocalCalls::Call(const Component& component, CallRequest request) {
  const auto call = maker_.NewMethodCall(*component, request, /*leaves=*/false);
  std::shared_ptr<LazyCore> core = call->core;
  if (core->Ready()) return core;  // it has failed
  if (maker_.IsTooLate()) {
    core->FailAsWished(base::Annotate(base::SessionEnded(), call->Name().text()));
    return core;
  }
  CallNow(Mine(*component), *call);
  maker_.AwaitIfSync(*core, *component, request);
  return core;
}

void LocalCalls::CallNow(const LocalComponent& component, OutgoingCall& call) const {
  const CallFacts facts = call.FactsHere(services_.options);
  if (const absl::Status* aborted = WhyAborted(component)) return call.core->Fail(Failed(facts, *aborted));
  if (call.rank && *call.rank != 0) {
    return call.core->Fail(absl::InvalidArgumentError(
        absl::StrCat(What(facts), ": there is no rank ", *call.rank, ": the component is one object of this process")));
  }
  absl::StatusOr<std::vector<internal::Argument>> arguments = DirectArguments(call.arguments, call.method->parameters);
  if (!arguments.ok()) {
    return call.core->Fail(base::Annotate(arguments.status(), What(facts)), FailuresOf(call.arguments));
  }
  bool killed = false;
  internal::Outcome outcome = Run(component, call, *arguments, &killed);
  if (killed) return call.core->FailAsWished(Failed(facts, outcome.status));
  const auto unmade = component.constructed->failure();
  if (unmade != nullptr && unmade->status() == outcome.status) return call.core->Fail(outcome.status, {unmade});
  SettleDirect(*call.core, *call.method, std::move(outcome), facts, {});
}

// Runs the call's method. `*killed`: the group has ended while it ran.
internal::Outcome LocalCalls::Run(const LocalComponent& component, const OutgoingCall& call,
                                  std::span<internal::Argument> arguments, bool* killed) const {
  LocalObject& object = *component.object;
  const std::lock_guard lock(object.mutex);
  if (const absl::Status* aborted = WhyAborted(component)) return {*aborted, nullptr, true};
  if (!object.status.ok()) return {object.status, nullptr, true};
  const CallContext context = ContextOf(component);
  const ContextScope scope(&context);
  const std::shared_ptr<void> value = object.value;  // the method may release its own component, or kill its group
  internal::Outcome outcome = call.method->invoke(value.get(), arguments);
  const absl::Status* const aborted = WhyAborted(component);
  if (aborted == nullptr) return outcome;
  *killed = true;
  object.End(*aborted);
  return {*aborted, nullptr, true};
}

// ---- components
absl::Status LocalCalls::WaitReady(const ComponentRef& ref, absl::Duration limit, CallSite site) {
  const LocalComponent& component = Mine(ref);
  if (services_.life.stopped()) return OfEndedSession(component.info.class_name);
  absl::Status made = component.constructed->Wait(base::Now() + limit);
  if (!made.ok() || IsAsMade(component)) return made;
  const CallFacts facts = maker_.NewCall(Operation::kProbe, component, site)->FactsHere(services_.options);
  if (const absl::Status* aborted = WhyAborted(component)) return Failed(facts, *aborted);
  const std::lock_guard lock(component.object->mutex);
  return Failed(facts, component.object->status);
}

bool LocalCalls::IsAsMade(const LocalComponent& component) const {
  if (WhyAborted(component) != nullptr) return false;
  const std::unique_lock lock(component.object->mutex, std::try_to_lock);
  return !lock.owns_lock() || component.object->status.ok();  // somebody is in one of its methods: it is there
}

absl::Status LocalCalls::Release(const ComponentRef& component, CallSite) {
  LocalObject& object = *Mine(component).object;
  const std::lock_guard lock(object.mutex);
  object.End(absl::FailedPreconditionError("the component was released"));
  components_.Remove(Mine(component).id);
  return absl::OkStatus();
}

void LocalCalls::Kill(const ComponentRef& component, CallSite site) {
  const absl::Status why = KilledAt(component.info.class_name, BaseName(site.file), site.line);
  if (Mine(component).group != nullptr) {
    return components_.EndGroup(component.info.group, GroupAborted(component.info.group, why));
  }
  Release(component, site).IgnoreError();
  LocalObject& object = *Mine(component).object;
  const std::lock_guard lock(object.mutex);
  object.status = why;
}

absl::Status LocalCalls::CheckLeaves() const {
  return absl::InvalidArgumentError(
      "it is an object of this process, which no other can reach: make it with remote_group");
}

}  // namespace twinkle::actor
