#include "runtime/actor/group_calls.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/call_arguments.h"
#include "runtime/actor/component_ref.h"
#include "runtime/actor/direct_call.h"
#include "runtime/actor/registry.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/mesh/share.h"

namespace twinkle::actor {

using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;

// ---- making
absl::StatusOr<ComponentInfo> GroupCalls::Describe(const internal::ClassInfo& class_info,
                                                   const NewOptions& options) const {
  TWINKLE_ASSIGN_OR_RETURN(const GroupInfo group, services_.directory->FindGroup(options.group));
  ComponentInfo info;
  info.name = options.name;
  info.class_name = std::string(class_info.name);
  info.fingerprint = Fingerprint(class_info);
  info.group = group.name;
  info.maker = services_.options.id;
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

absl::StatusOr<Calls::Component> GroupCalls::New(const internal::ClassInfo& class_info,
                                                 const internal::ConstructorInfo& constructor,
                                                 const NewOptions& options,
                                                 std::vector<internal::CallArgument> arguments, CallSite site) {
  TWINKLE_ASSIGN_OR_RETURN(ComponentInfo info, Describe(class_info, options));
  bool existed = false;
  TWINKLE_ASSIGN_OR_RETURN(info, services_.directory->AddComponent(std::move(info), options.instance_id, &existed));
  const std::shared_ptr<ComponentRef> component = Bind(info);
  if (existed) return component;
  auto call = parts_.maker->NewCall(Operation::kConstruct, *component, site);
  call->constructor = &constructor;
  call->arguments = std::move(arguments);
  call->core = std::make_shared<LazyCore>(parts_.maker->OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  parts_.constructions->Add(info.id, call->core);
  if (component->far) parts_.keeper->ShareLargeArguments(*call);
  parts_.maker->Submit(std::move(call));
  return component;
}

std::shared_ptr<ComponentRef> GroupCalls::Bind(const ComponentInfo& info) {
  auto component = std::make_shared<ComponentRef>();
  component->info = info;
  component->class_info = FindClass(info.class_name);
  component->calls = {services_.binder->store(), this};
  const uint64_t here = services_.placement->MachineOf(services_.options.id);
  component->far = std::count_if(info.workers.begin(), info.workers.end(), [&](rpc::ProcessId worker) {
                     const uint64_t there = services_.placement->MachineOf(worker);
                     return there != 0 && there != here;
                   }) > 1;
  component->constructed = parts_.constructions->Find(info.id);
  return component;
}

// ---- calls
std::shared_ptr<LazyCore> GroupCalls::Call(const Component& component, CallRequest request) {
  const bool own = IsOwnObject(component->info, request.rank);
  auto call = parts_.maker->NewMethodCall(*component, request, /*leaves=*/!own);
  std::shared_ptr<LazyCore> core = call->core;
  if (core->Ready()) return core;  // it has failed
  if (own) {
    CallOwn(call);
  } else {
    if (component->far) parts_.keeper->ShareLargeArguments(*call);
    parts_.maker->Submit(std::move(call));
  }
  parts_.maker->AwaitIfSync(*core, *component, request);
  return core;
}

bool GroupCalls::IsOwnObject(const ComponentInfo& component, std::optional<int> rank) const {
  if (component.group != services_.options.group) return false;
  const auto mine = std::find(component.workers.begin(), component.workers.end(), services_.options.id);
  if (mine == component.workers.end()) return false;  // kFirst: the one that exists is meant
  return !rank || *rank == mine - component.workers.begin();
}

// Makes a call on this process's own object. On the object's lane it runs at once and takes no number; from elsewhere
// it queues.
void GroupCalls::CallOwn(const std::shared_ptr<OutgoingCall>& call) {
  if (const auto instance = parts_.host->InstanceInLane(call->component->id)) {
    CallContext context = instance->context;
    context.call = CurrentContext()->call;
    const ContextScope scope(&context);
    internal::Outcome outcome;
    auto arguments = DirectArguments(call->arguments, call->method->parameters);
    outcome.status = arguments.ok() ? instance->status : arguments.status();
    if (outcome.status.ok()) outcome = call->method->invoke(instance->object.get(), *arguments);
    return SettleDirect(*call->core, *call->method, std::move(outcome), call->FactsHere(services_.options),
                        FailuresOf(call->arguments));
  }
  call->own = true;
  parts_.maker->Submit(call);
}

// ---- components
absl::Status GroupCalls::WaitReady(const ComponentRef& component, absl::Duration limit, CallSite site) {
  if (const auto instance = parts_.host->InstanceInLane(component.info.id)) return instance->status;
  if (services_.life.stopped()) return OfEndedSession(component.info.class_name);
  const base::Instant deadline = base::Now() + limit;
  if (component.constructed != nullptr) {
    absl::Status made = component.constructed->Wait(deadline);
    const bool aborted = services_.directory->IsAborted(component.info.group);
    if (!made.ok() || (!aborted && parts_.constructions->IsAsMade(component.info))) return made;
  }
  auto call = parts_.maker->NewCall(Operation::kProbe, component, site);
  call->core = std::make_shared<LazyCore>(parts_.maker->OriginFor(*call, nullptr, {}));
  const std::shared_ptr<LazyCore> core = call->core;
  parts_.maker->Submit(std::move(call));
  return core->Wait(deadline);
}

absl::Status GroupCalls::Release(const ComponentRef& component, CallSite site) {
  services_.directory->RemoveComponent(component.info.id);
  parts_.constructions->Forget(component.info.id);
  auto call = parts_.maker->NewCall(Operation::kDestroy, component, site);
  internal::LazyOrigin origin = parts_.maker->OriginFor(*call, nullptr, {});
  origin.failures = nullptr;  // nobody can look at them, and what is gone need not be released
  call->core = std::make_shared<LazyCore>(std::move(origin));
  parts_.maker->Submit(std::move(call));
  return absl::OkStatus();
}

void GroupCalls::Kill(const ComponentRef& component, CallSite site) {
  const absl::Status why = KilledAt(component.info.class_name, BaseName(site.file), site.line);
  const std::string& group = component.info.group;
  const rpc::ProcessId first = component.info.workers.front();
  if (base::JobOf(first) != base::JobOf(services_.options.id)) {
    return base::Log(base::LogLevel::kWarning, absl::StrCat(why.message(), " does nothing: the component is another ",
                                                            "program's, whose group only that program ends"));
  }
  const std::vector<rpc::ProcessId> workers = WorkersOfGroup(component.info);
  parts_.constructions->OnGone(workers);
  // The Caller knows before the ranks do, so that no answer of theirs comes first.
  services_.service->Post(
      [caller = parts_.caller, workers, killed = GroupAborted(group, why)] { caller->OnKilled(workers, killed); });
  if (services_.placement->kills()) return services_.placement->EndGroup(first, group, why);
  services_.directory->SetAborted(group);
  for (rpc::ProcessId worker : workers) {
    services_.Send(worker, rpc::Stream::kControl, AbortMessage{ToWire(why)});
  }
}

// All workers of the component's group, also those that the component is not on.
std::vector<rpc::ProcessId> GroupCalls::WorkersOfGroup(const ComponentInfo& component) const {
  const absl::StatusOr<GroupInfo> group = services_.directory->FindGroup(component.group);
  const rpc::ProcessId first = component.workers.front();
  if (group.ok() && std::count(group->workers.begin(), group->workers.end(), first) > 0) return group->workers;
  return component.workers;
}

int GroupCalls::world_size(const ComponentRef& component) const {
  return static_cast<int>(component.info.workers.size());
}

}  // namespace twinkle::actor
