#include <absl/strings/str_cat.h>
#include <twinkle/internal/runtime.h>

#include <algorithm>

#include "client/src/mesh_check.h"
#include "client/src/session_state.h"
#include "runtime/actor/failure.h"
#include "runtime/base/cancellation.h"
#include "runtime/base/clock.h"
#include "runtime/base/forked.h"
#include "runtime/base/names.h"
#include "runtime/base/status.h"
#include "runtime/base/thrown.h"
#include "runtime/object/lazy_core.h"
#include "runtime/object/lazy_plan.h"

namespace twinkle::internal {
namespace {

absl::Status NoSession() {
  if (base::InForkedChild()) return base::ForkedChildStatus();
  return absl::FailedPreconditionError("there is no session: call twinkle::Initialize first, and keep what it returns");
}

LazyPtr Failed(const Type* collected, AnswerOps answer, const absl::Status& why) {
  LazyOrigin origin;
  origin.collected = collected;
  origin.answer = answer;
  return LazyCore::Failed(std::move(origin), why);
}

// ---- lazies of before, in a forked child: nobody would ever settle them, and their locks may be held for ever
absl::Status StatusInChild(const LazyCore& lazy) {
  const auto outcome = lazy.OutcomeSoFar();
  return outcome ? outcome->status : base::ForkedChildStatus();
}

const void* AnswerInChild(const LazyCore& lazy) {
  if (const auto outcome = lazy.OutcomeSoFar()) return outcome->answer;
  // The answer stays for good: whoever asked holds it for as long as the lazy.
  return (new std::shared_ptr<void>(lazy.origin().answer.make(base::ForkedChildStatus())))->get();
}

// The devices of each worker of the group. 0: only the program knows, as for CPU groups in a rank.
int DevicesPerWorker(const actor::GroupInfo& group, const SessionState& session) {
  if (!group.devices.empty() && !group.devices[0].empty()) return static_cast<int>(group.devices[0].size());
  for (const DeviceGroup& declared : session.options().groups) {
    if (declared.name == group.name) return declared.devices_per_worker;
  }
  return 0;
}

absl::Status CheckPlace(const actor::UserApi& api, const SessionState& session, const ClassInfo& class_info,
                        const RemoteOptions& options) {
  if (!options.name.empty()) TWINKLE_RETURN_IF_ERROR(base::CheckName("RemoteOptions.name", options.name));
  if (!options.instance_id.empty()) {
    TWINKLE_RETURN_IF_ERROR(base::CheckName("RemoteOptions.instance_id", options.instance_id));
  }
  if (options.device_mesh) TWINKLE_RETURN_IF_ERROR(options.device_mesh->Validate());
  if (options.remote_group.empty()) return absl::OkStatus();
  TWINKLE_ASSIGN_OR_RETURN(const actor::GroupInfo group, api.directory().FindGroup(options.remote_group));
  if (session.local() || options.remote_group == api.options().group) return absl::OkStatus();
  const auto& session_mesh = api.options().session_mesh;
  return CheckMesh(class_info, group,
                   {.own = options.device_mesh ? &*options.device_mesh : nullptr,
                    .session = session_mesh ? &*session_mesh : nullptr,
                    .devices_per_worker = DevicesPerWorker(group, session)});
}

}  // namespace

absl::Status ThrownStatus() { return base::ThrownStatus(); }

// ---- lazies
bool LazyReady(const LazyPtr& lazy) { return lazy->Ready() || base::InForkedChild(); }
absl::Status LazyWait(const LazyPtr& lazy, absl::Duration limit) {
  if (base::InForkedChild()) return StatusInChild(*lazy);
  return lazy->Wait(base::Now() + limit);
}
absl::StatusOr<int64_t> LazySize(const LazyPtr& lazy) {
  if (base::InForkedChild()) return base::ForkedChildStatus();
  return lazy->Size();
}
const void* LazyAnswer(const LazyPtr& lazy) { return base::InForkedChild() ? AnswerInChild(*lazy) : lazy->Answer(); }
void LazyCancel(const LazyPtr& lazy) {
  if (!base::InForkedChild()) lazy->Cancel();
}

// ---- plans over lazies
LazyPtr LazyRows(const LazyPtr& lazy, int64_t begin, int64_t end) {
  if (base::InForkedChild()) return Failed(lazy->type(), lazy->origin().answer, base::ForkedChildStatus());
  return LazyCore::Rows(lazy, begin, end);
}

LazyPtr LazyTake(const LazyPtr& lazy, std::vector<int64_t> rows) {
  if (base::InForkedChild()) return Failed(lazy->type(), lazy->origin().answer, base::ForkedChildStatus());
  const std::string what = absl::StrCat("some rows of ", lazy->origin().what.text());
  return LazyCore::Planned({lazy}, what, *lazy->type(), lazy->origin().answer,
                           [rows = std::move(rows)](auto inputs) { return object::TakeRows(inputs[0], rows); });
}

LazyPtr LazyRepeat(const LazyPtr& lazy, int64_t times) {
  if (base::InForkedChild()) return Failed(lazy->type(), lazy->origin().answer, base::ForkedChildStatus());
  const std::string what = absl::StrCat(lazy->origin().what.text(), ", each row ", times, " times");
  return LazyCore::Planned({lazy}, what, *lazy->type(), lazy->origin().answer,
                           [times](auto inputs) { return object::RepeatRows(inputs[0], times); });
}

LazyPtr LazyField(const LazyPtr& lazy, const Type& whole, void* object, const void* member, const Type& type,
                  AnswerOps answer) {
  if (base::InForkedChild()) return Failed(&type, answer, base::ForkedChildStatus());
  uint32_t number = 0;
  while (true) {
    const auto place = codec::MemberAt(whole, object, {number});
    if (!place || (place->object == member && place->type == &type)) break;
    ++number;
  }
  return LazyCore::Planned({lazy}, absl::StrCat("a member of ", lazy->origin().what.text()), type, answer,
                           [number](auto inputs) { return object::FieldOf(inputs[0], number); });
}

LazyPtr LazyConcat(std::vector<LazyPtr> lazies, const Type& type, AnswerOps answer) {
  if (base::InForkedChild()) return Failed(&type, answer, base::ForkedChildStatus());
  const std::string what = absl::StrCat("Concat of ", lazies.size(), " from ", lazies[0]->origin().what.text(), " on");
  return LazyCore::Planned(std::move(lazies), what, type, answer,
                           [](auto inputs) { return object::ConcatRows(inputs); });
}

LazyPtr LazyRecord(std::vector<LazyPtr> lazies, std::span<const Type* const> types, const Type& whole,
                   AnswerOps answer) {
  if (base::InForkedChild()) return Failed(&whole, answer, base::ForkedChildStatus());
  const std::shared_ptr<void> any = whole.make();
  absl::Status fits;
  for (uint32_t i = 0; i < types.size(); ++i) {
    const auto place = codec::MemberAt(whole, any.get(), {i});
    if (place && place->type == types[i]) continue;
    fits = absl::InvalidArgumentError(absl::StrCat("member ", i + 1, " of ", whole.name, " is not of that type"));
  }
  return LazyCore::Planned(std::move(lazies), absl::StrCat("MakeLazy of a ", whole.name), whole, answer,
                           [fits](auto inputs) -> absl::StatusOr<object::LazyPlan> {
                             if (!fits.ok()) return fits;
                             return object::RecordOf(inputs);
                           });
}

bool LazyEnded(const LazyPtr& lazy) { return !base::InForkedChild() && lazy->WaitSettled() && lazy->ended(); }

bool LazyFailed(const LazyPtr& lazy) {
  if (base::InForkedChild()) return !StatusInChild(*lazy).ok();
  if (!lazy->WaitSettled()) return true;                      // the method that iterates is cancelled
  if (const auto failure = lazy->failure()) failure->Look();  // the iteration hands it out
  return !lazy->status().ok();
}

absl::StatusOr<size_t> LazyWaitAny(std::span<const LazyPtr> lazies, absl::Duration limit) {
  if (lazies.empty()) return absl::InvalidArgumentError("WaitAny: no lazies were given");
  const auto any = std::make_shared<base::Event>();
  for (const LazyPtr& lazy : lazies) {
    if (lazy == nullptr) return absl::FailedPreconditionError("WaitAny: one of the lazies is empty");
    if (base::InForkedChild()) return static_cast<size_t>(&lazy - lazies.data());  // it counts as ready
    lazy->OnSettled([any] { any->Set(); });
  }
  if (!base::WaitUnlessCancelled(*any, base::Now() + limit)) {
    const base::Cancellation* const mine = base::CurrentCancellation();
    if (mine != nullptr && mine->IsCancelled()) return base::GivenUp("WaitAny", mine->why());
    return absl::DeadlineExceededError("WaitAny: none has settled in time");
  }
  const auto settled = std::find_if(lazies.begin(), lazies.end(), [](const LazyPtr& lazy) { return lazy->Ready(); });
  return static_cast<size_t>(settled - lazies.begin());
}

// Waits for all. Only the failure that is returned has been looked at.
absl::Status LazyWaitAll(std::span<const LazyPtr> lazies, absl::Duration limit) {
  const base::Instant deadline = base::Now() + limit;
  const LazyPtr* first = nullptr;
  for (const LazyPtr& lazy : lazies) {
    if (lazy == nullptr) return absl::FailedPreconditionError("WaitAll: one of the lazies is empty");
    if (base::InForkedChild()) {
      TWINKLE_RETURN_IF_ERROR(StatusInChild(*lazy));
      continue;
    }
    const bool failed = !lazy->WaitSettledUntil(deadline) || !lazy->status().ok();
    if (failed && first == nullptr) first = &lazy;
  }
  return first == nullptr ? absl::OkStatus() : (*first)->Wait(deadline);
}

LazyPtr PutValue(const Type& type, std::shared_ptr<void> value, AnswerOps answer, CallSite site) {
  const auto api = CurrentApi();
  if (api != nullptr) return api->Put(type, std::move(value), answer, site);
  return Failed(&type, answer, NoSession());
}

// ---- calls
LazyPtr StartCall(const ComponentRef* component, const MethodInfo& method, std::optional<int> rank,
                  std::vector<CallArgument> arguments, CallSite site, const Type* collected, AnswerOps answer) {
  if (component == nullptr) {
    return Failed(
        collected, answer,
        absl::FailedPreconditionError(absl::StrCat(method.name, " [", actor::BaseName(site.file), ":", site.line,
                                                   "]: an empty Remote: it refers to no component")));
  }
  if (base::InForkedChild()) return Failed(collected, answer, base::ForkedChildStatus());
  return component->calls->Call(component->shared_from_this(),
                                {&method, rank, std::move(arguments), site, collected, answer});
}

absl::StatusOr<ComponentPtr> StartNew(const ClassInfo& class_info, const ConstructorInfo& constructor,
                                      RemoteOptions options, std::vector<CallArgument> arguments, CallSite site) {
  const auto api = CurrentApi();
  const auto session = SessionState::Current();
  if (api == nullptr || session == nullptr) return NoSession();
  TWINKLE_RETURN_IF_ERROR(CheckPlace(*api, *session, class_info, options));
  const actor::NewOptions made{std::move(options.remote_group),
                               std::move(options.device_mesh),
                               std::move(options.instance_id),
                               std::move(options.name),
                               options.sync,
                               options.lazy_collect,
                               session->local()};
  return api->New(class_info, constructor, made, std::move(arguments), site);
}

absl::StatusOr<ComponentPtr> FindComponent(const std::string& name, const ClassInfo& class_info) {
  const auto api = CurrentApi();
  if (api == nullptr) return NoSession();
  TWINKLE_RETURN_IF_ERROR(base::CheckName("the name of a component", name));
  return api->Find(name, class_info);
}

// ---- components
absl::Status ComponentWaitReady(const ComponentPtr& component, absl::Duration limit, CallSite site) {
  if (base::InForkedChild()) return base::ForkedChildStatus();
  return component->calls->WaitReady(*component, limit, site);
}
absl::Status ComponentRelease(const ComponentPtr& component, CallSite site) {
  if (base::InForkedChild()) return base::ForkedChildStatus();
  return component->calls->Release(*component, site);
}
void ComponentKill(const ComponentPtr& component, CallSite site) {
  if (!base::InForkedChild()) component->calls->Kill(*component, site);
}
std::string ComponentName(const ComponentPtr& component) { return component->info.name; }
std::string ComponentGroup(const ComponentPtr& component) { return component->info.group; }
int ComponentWorldSize(const ComponentPtr& component) { return component->calls->world_size(*component); }
const ComponentRef* RawComponent(const ComponentPtr& component) { return component.get(); }
ComponentPtr ShareComponent(const ComponentRef* component) {
  return component == nullptr ? nullptr : component->shared_from_this();
}

}  // namespace twinkle::internal
