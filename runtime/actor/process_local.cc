// Components of a process that are objects of its own: making them, calls on them, and their groups' end.
#include <absl/strings/str_cat.h>

#include <mutex>
#include <utility>

#include "runtime/actor/local_call.h"
#include "runtime/actor/local_object.h"
#include "runtime/actor/process.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;

namespace {

constexpr uint64_t kLocalComponent = uint64_t{1} << 62;  // ids that the directory does not give out

}  // namespace

absl::StatusOr<std::shared_ptr<const ComponentRef>> Process::NewLocal(const internal::ClassInfo& class_info,
                                                                      const internal::ConstructorInfo& constructor,
                                                                      const NewOptions& options,
                                                                      std::vector<CallArgument>& arguments,
                                                                      CallSite site) {
  if (!options.name.empty() && surroundings_.directory->FindComponent(options.name).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", options.name, "' already"));
  }
  const std::shared_ptr<ComponentRef> component = DescribeLocal(class_info, options);
  LocalObject& local = *component->local;
  auto call = NewCall(Operation::kConstruct, *component, site);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  const CallFacts facts = call->FactsHere(services_.options);
  const std::lock_guard lock(local.mutex);  // others that find it wait until it is constructed
  TWINKLE_ASSIGN_OR_RETURN(auto kept, locals_.Add(component, options.instance_id));
  if (kept != component) return kept;
  if (const absl::Status* aborted = WhyAborted(local)) {
    local.End(*aborted);
    call->core->Fail(Failed(facts, *aborted));
    return kept;
  }
  internal::Outcome made = ConstructLocal(local, constructor, arguments);
  if (const absl::Status* aborted = WhyAborted(local)) {  // meanwhile
    local.End(*aborted);
    call->core->FailAsWished(Failed(facts, *aborted));
    return kept;
  }
  local.object = std::move(made.value);
  local.status = Failed(facts, made.status);
  if (local.status.ok()) {
    call->core->Succeed({});
  } else {
    call->core->Fail(local.status, FailuresOf(arguments));
  }
  return kept;
}

std::shared_ptr<ComponentRef> Process::DescribeLocal(const internal::ClassInfo& class_info, const NewOptions& options) {
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
  component->local->mesh = component->info.mesh;
  component->local->id = kLocalComponent | next_id_++;
  if (options.local && !options.group.empty()) component->local->group = locals_.GroupNamed(options.group);
  return component;
}

internal::Outcome Process::ConstructLocal(const LocalObject& local, const internal::ConstructorInfo& constructor,
                                          std::vector<CallArgument>& arguments) {
  absl::StatusOr<std::vector<internal::Argument>> values = LocalArguments(arguments, constructor.parameters);
  if (!values.ok()) return {values.status(), nullptr, true};
  const CallContext context = LocalContext(local);
  const ContextScope scope(&context);
  return constructor.construct(*values);
}

// The object is where its caller is, but for its own mesh.
CallContext Process::LocalContext(const LocalObject& local) {
  const CallContext* const outer = CurrentContext();
  auto facts = std::make_shared<internal::RankFacts>(outer == nullptr ? *facts_ : *outer->object->facts);
  facts->mesh = local.mesh;
  facts->component = local.id;
  auto object = std::make_shared<ObjectContext>();
  object->process = shared_from_this();
  object->facts = std::move(facts);
  CallContext context = outer == nullptr ? CallContext() : *outer;
  context.object = std::move(object);
  return context;
}

const absl::Status* Process::WhyAborted(const LocalObject& local) const {
  return local.group == nullptr || ended() ? nullptr : local.group->WhyEnded();
}

// `*killed`: the group has ended while the method ran.
internal::Outcome Process::RunLocal(LocalObject& local, OutgoingCall& call, std::span<internal::Argument> arguments,
                                    bool* killed) {
  const std::lock_guard lock(local.mutex);
  if (const absl::Status* aborted = WhyAborted(local)) return {*aborted, nullptr, true};
  if (!local.status.ok()) return {local.status, nullptr, true};
  const CallContext context = LocalContext(local);
  const ContextScope scope(&context);
  const std::shared_ptr<void> object = local.object;  // the method may release its own component, or kill its group
  internal::Outcome outcome = call.method->invoke(object.get(), arguments);
  const absl::Status* const aborted = WhyAborted(local);
  if (aborted == nullptr) return outcome;
  *killed = true;
  local.End(*aborted);
  return {*aborted, nullptr, true};
}

void Process::CallLocal(const ComponentRef& component, OutgoingCall& call) {
  LocalObject& local = *component.local;
  const CallFacts facts = call.FactsHere(services_.options);
  if (const absl::Status* aborted = WhyAborted(local)) return call.core->Fail(Failed(facts, *aborted));
  if (call.rank && *call.rank != 0) {
    return call.core->Fail(absl::InvalidArgumentError(
        absl::StrCat(What(facts), ": there is no rank ", *call.rank, ": the component is one object of this process")));
  }
  absl::StatusOr<std::vector<internal::Argument>> arguments = LocalArguments(call.arguments, call.method->parameters);
  if (!arguments.ok()) {
    return call.core->Fail(base::Annotate(arguments.status(), What(facts)), FailuresOf(call.arguments));
  }
  bool killed = false;
  internal::Outcome outcome = RunLocal(local, call, *arguments, &killed);
  if (killed) return call.core->FailAsWished(Failed(facts, outcome.status));
  const auto unmade = component.constructed->failure();
  if (unmade != nullptr && unmade->status() == outcome.status) return call.core->Fail(outcome.status, {unmade});
  SettleLocal(*call.core, *call.method, std::move(outcome), facts, {});
}

}  // namespace twinkle::actor
