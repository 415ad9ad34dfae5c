#include "runtime/actor/keeper.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/actor/argument_plan.h"
#include "runtime/actor/binder.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"
#include "runtime/codec/encode_within.h"
#include "runtime/codec/guarded.h"

namespace twinkle::actor {

using internal::CallArgument;
using internal::LazyCore;

namespace {

// Fails the lazy when it is dropped, with the task that was to settle it.
class SureCore {
 public:
  explicit SureCore(std::shared_ptr<LazyCore> core) : core_(std::move(core)) {}
  SureCore(SureCore&&) noexcept = default;
  ~SureCore() {
    if (core_ != nullptr) core_->Fail(base::SessionEnded());  // unless it has settled
  }
  LazyCore* operator->() const { return core_.get(); }

 private:
  std::shared_ptr<LazyCore> core_;
};

// A count that is held while the task lives that it is part of.
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

// The origin of one value of that type, as it is.
internal::LazyOrigin OriginOf(std::string what, const internal::Type& type, const Services& services) {
  internal::LazyOrigin origin;
  origin.what = std::move(what);
  origin.result = &type;
  origin.collected = &type;
  origin.as_it_is = true;
  origin.store = services.binder->store();
  return origin;
}

}  // namespace

std::shared_ptr<LazyCore> Keeper::Put(const internal::Type& type, std::shared_ptr<void> value,
                                      internal::AnswerOps answer, internal::CallSite site) {
  internal::LazyOrigin origin =
      OriginOf(absl::StrCat("Put [", BaseName(site.file), ":", site.line, "]"), type, services_);
  origin.answer = answer;
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

void Keeper::ShareLargeArguments(OutgoingCall& call) {
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
    auto core = std::make_shared<LazyCore>(
        OriginOf(absl::StrCat(call.Name().text(), ": argument ", i + 1), *parameter.type, services_));
    if (!codec::Guarded([&] { return Keep(core, argument.value, sized->bytes, call.Facts()); }).ok()) continue;
    argument = {};
    argument.kind = CallArgument::Kind::kLazy;
    argument.lazy = std::move(core);
  }
}

std::shared_ptr<base::Event> Keeper::WhenKept() const {
  if (keeping_ == 0) return nullptr;
  auto kept = std::make_shared<base::Event>();
  return services_.service->Post([kept] { kept->Set(); }) ? kept : nullptr;
}

absl::Status Keeper::Keep(const std::shared_ptr<LazyCore>& core, std::shared_ptr<const void> value, uint64_t bytes,
                          const CallFacts& maker) {
  const codec::Type& type = *core->origin().collected;
  TWINKLE_RETURN_IF_ERROR(objects_.AwaitRoom());
  TWINKLE_ASSIGN_OR_RETURN(object::Admission admission, objects_.Admit({&type, value}, bytes));
  codec::Rows rows = codec::RowsOf(type, value.get());  // may be the user's code
  services_.service->Post([this, store = services_.binder->store(), counted = Counted(&keeping_), sure = SureCore(core),
                           value = std::move(value), rows = std::move(rows), bytes, maker,
                           admission = std::move(admission)]() mutable {
    const rpc::ProcessId me = services_.options.id;
    const uint64_t id = objects_.Insert({sure->origin().collected, std::move(value)}, me, bytes,
                                        {maker.class_name, maker.method, maker.file, maker.line}, std::move(admission));
    auto held = std::make_shared<object::HeldObject>(store, object::ObjectRef{me, id});
    sure->Succeed({{std::move(held), std::move(rows), bytes, {}}});
  });
  return absl::OkStatus();
}

}  // namespace twinkle::actor
