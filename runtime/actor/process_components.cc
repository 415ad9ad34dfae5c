// What a process does with whole components: makes, finds, releases them. And Put, whose value is its own.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/actor/call_arguments.h"
#include "runtime/actor/local_object.h"
#include "runtime/actor/process.h"
#include "runtime/actor/registry.h"
#include "runtime/base/clock.h"
#include "runtime/base/ids.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/codec/encode_within.h"
#include "runtime/codec/guarded.h"
#include "runtime/mesh/share.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::CallSite;
using internal::ComponentRef;
using internal::LazyCore;

absl::StatusOr<ComponentInfo> Process::Describe(const internal::ClassInfo& class_info, const NewOptions& options) {
  TWINKLE_ASSIGN_OR_RETURN(const GroupInfo group, surroundings_.directory->FindGroup(options.group));
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

absl::StatusOr<std::shared_ptr<const ComponentRef>> Process::New(const internal::ClassInfo& class_info,
                                                                 const internal::ConstructorInfo& constructor,
                                                                 const NewOptions& options,
                                                                 std::vector<CallArgument> arguments, CallSite site) {
  if (IsTooLate()) {
    return absl::CancelledError(absl::StrCat("New [", BaseName(site.file), ":", site.line, "]: the session has ended"));
  }
  TWINKLE_RETURN_IF_ERROR(CheckUnambiguous({class_info.name.data(), class_info.name.size()}));
  const bool local = options.local || options.group.empty() || options.group == services_.options.group;
  absl::Status bad = CheckArguments(arguments, !local, job());
  if (bad.ok()) bad = SnapshotArguments(arguments, constructor.parameters);
  if (!bad.ok()) return base::Annotate(bad, absl::StrCat("New [", BaseName(site.file), ":", site.line, "]"));
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
  auto call = NewCall(Operation::kConstruct, *component, site);
  call->constructor = &constructor;
  call->arguments = std::move(arguments);
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  component->constructed = call->core;
  constructions_.Add(info.id, call->core);
  if (component->far) ShareLargeArguments(*call);
  Submit(std::move(call));
  return std::shared_ptr<const ComponentRef>(std::move(component));
}

std::shared_ptr<const ComponentRef> Process::Bind(const ComponentInfo& info) {
  auto component = std::make_shared<ComponentRef>();
  component->info = info;
  component->class_info = FindClass(info.class_name);
  component->process = shared_from_this();
  const uint64_t here = services_.placement->MachineOf(services_.options.id);
  component->far = std::count_if(info.workers.begin(), info.workers.end(), [&](rpc::ProcessId worker) {
                     const uint64_t there = services_.placement->MachineOf(worker);
                     return there != 0 && there != here;
                   }) > 1;
  component->constructed = constructions_.Find(info.id);
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
  if (ended()) {
    return absl::FailedPreconditionError(absl::StrCat(ShortName(component.info.class_name),
                                                      ".component() is of a session that has ended: make it anew"));
  }
  const base::Instant deadline = base::Now() + limit;
  if (component.constructed != nullptr) {
    absl::Status made = component.constructed->Wait(deadline);
    if (!made.ok() || IsAsMade(component)) return made;
  }
  auto call = NewCall(Operation::kProbe, component, site);
  if (component.local != nullptr) {
    const CallFacts facts = call->FactsHere(services_.options);
    if (const absl::Status* aborted = WhyAborted(*component.local)) return Failed(facts, *aborted);
    const std::lock_guard lock(component.local->mutex);
    return Failed(facts, component.local->status);
  }
  call->core = std::make_shared<LazyCore>(OriginFor(*call, nullptr, {}));
  const std::shared_ptr<LazyCore> core = call->core;
  Submit(std::move(call));
  return core->Wait(deadline);
}

bool Process::IsAsMade(const ComponentRef& component) const {
  if (component.local != nullptr) {
    if (WhyAborted(*component.local) != nullptr) return false;
    const std::unique_lock lock(component.local->mutex, std::try_to_lock);
    return !lock.owns_lock() || component.local->status.ok();  // somebody is in one of its methods: it is there
  }
  if (surroundings_.directory->IsAborted(component.info.group)) return false;
  return constructions_.IsAsMade(component.info);
}

absl::Status Process::ReleaseComponent(const ComponentRef& component, CallSite site) {
  if (component.local != nullptr) {
    const std::lock_guard lock(component.local->mutex);
    component.local->End(absl::FailedPreconditionError("the component was released"));
    locals_.Remove(component);
    return absl::OkStatus();
  }
  surroundings_.directory->RemoveComponent(component.info.id);
  constructions_.Forget(component.info.id);
  auto call = NewCall(Operation::kDestroy, component, site);
  internal::LazyOrigin origin = OriginFor(*call, nullptr, {});
  origin.failures = nullptr;  // nobody can look at them, and what is gone need not be released
  call->core = std::make_shared<LazyCore>(std::move(origin));
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
  const absl::Status why = KilledAt(component, site);
  if (component.local != nullptr) {
    if (component.local->group != nullptr) {
      return locals_.EndGroup(component.info.group, GroupAborted(component.info.group, why));
    }
    ReleaseComponent(component, site).IgnoreError();
    const std::lock_guard lock(component.local->mutex);
    component.local->status = why;
    return;
  }
  const rpc::ProcessId first = component.info.workers.front();
  if (base::JobOf(first) != base::JobOf(services_.options.id)) {
    return base::Log(base::LogLevel::kWarning, absl::StrCat(why.message(), " does nothing: the component is another ",
                                                            "program's, whose group only that program ends"));
  }
  const absl::StatusOr<GroupInfo> group = surroundings_.directory->FindGroup(component.info.group);
  std::vector<rpc::ProcessId> workers = component.info.workers;
  if (group.ok() && std::count(group->workers.begin(), group->workers.end(), first) > 0) workers = group->workers;
  constructions_.OnGone(workers);
  // Before the ranks hear of it: no answer of theirs comes first.
  service_->Post([caller = caller_, workers, killed = GroupAborted(component.info.group, why)] {
    caller->OnKilled(workers, killed);
  });
  if (services_.placement->kills()) return services_.placement->EndGroup(first, component.info.group, why);
  surroundings_.directory->SetAborted(component.info.group);
  for (rpc::ProcessId worker : workers) {
    services_.Send(worker, rpc::Stream::kControl, AbortMessage{ToWire(why)});
  }
}

std::shared_ptr<LazyCore> Process::Put(const internal::Type& type, std::shared_ptr<void> value,
                                       internal::AnswerOps answer, CallSite site) {
  internal::LazyOrigin origin;
  origin.what = absl::StrCat("Put [", BaseName(site.file), ":", site.line, "]");
  origin.result = &type;
  origin.collected = &type;
  origin.as_it_is = true;
  origin.answer = answer;
  origin.store = store();
  origin.failures = services_.failures;
  auto core = std::make_shared<LazyCore>(std::move(origin));
  const absl::Status kept = codec::Guarded([&]() -> absl::Status {
    TWINKLE_RETURN_IF_ERROR(codec::Snapshot(type, value.get()));
    TWINKLE_ASSIGN_OR_RETURN(const codec::Sized sized, codec::EncodeWithin({&type, value}, 0));  // its size alone
    const bool small = sized.bytes <= services_.options.inline_bytes;
    if (small || type.copy == nullptr) {
      core->SucceedWith(value);
      return absl::OkStatus();
    }
    return Keep(core, value, sized.bytes, {"", "Put", "", -1, "", BaseName(site.file), site.line});
  });
  if (!kept.ok()) core->Fail(base::Annotate(kept, core->origin().what.text()));
  return core;
}

namespace {

// Fails the lazy when it is dropped, with the task that was to settle it.
class SureCore {
 public:
  explicit SureCore(std::shared_ptr<LazyCore> core) : core_(std::move(core)) {}
  SureCore(SureCore&&) noexcept = default;
  ~SureCore() {
    if (core_ != nullptr) core_->Fail(absl::CancelledError("the session has ended"));  // unless it has settled
  }
  LazyCore* operator->() const { return core_.get(); }

 private:
  std::shared_ptr<LazyCore> core_;
};

// Counts while the task lives that it is part of.
class Counted {
 public:
  explicit Counted(std::atomic<size_t>* count) : count_(count) { ++*count_; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  ~Counted() {
    if (count_ != nullptr) --*count_;
  }

 private:
  std::atomic<size_t>* count_;
};

}  // namespace

absl::Status Process::Keep(const std::shared_ptr<LazyCore>& core, std::shared_ptr<const void> value, uint64_t bytes,
                           const CallFacts& maker) {
  const codec::Type& type = *core->origin().collected;
  TWINKLE_RETURN_IF_ERROR(exchange_->AwaitRoom());
  TWINKLE_ASSIGN_OR_RETURN(object::Admission admission, exchange_->Admit({&type, value}, bytes));
  codec::Rows rows = codec::RowsOf(type, value.get());  // may be the user's code
  service_->Post([self = shared_from_this(), counted = Counted(&keeping_), sure = SureCore(core),
                  value = std::move(value), rows = std::move(rows), bytes, maker,
                  admission = std::move(admission)]() mutable {
    const rpc::ProcessId me = self->options().id;
    const uint64_t id =
        self->exchange_->Insert({sure->origin().collected, std::move(value)}, me, bytes,
                                {maker.class_name, maker.method, maker.file, maker.line}, std::move(admission));
    sure->Succeed(
        {{std::make_shared<object::HeldObject>(self->store(), object::ObjectRef{me, id}), std::move(rows), bytes, {}}});
  });
  return absl::OkStatus();
}

}  // namespace twinkle::actor
