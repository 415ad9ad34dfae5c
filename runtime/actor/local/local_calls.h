// Components that are objects of this process: making them, calls on them, and their end.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/internal/rank_facts.h>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/actor/call_maker.h"
#include "runtime/actor/calls.h"
#include "runtime/actor/context.h"
#include "runtime/actor/local/local_component.h"
#include "runtime/actor/local/local_components.h"
#include "runtime/base/clock.h"

namespace twinkle::actor {

// Objects of the program itself, and all objects in Mode::kLocal. They are called in the calling thread, without codec
// and transport, and live until they are released or the process ends. Thread-safe.
class LocalCalls final : public Calls {
 public:
  // `facts`: where code that runs outside calls is.
  LocalCalls(const Services* services, CallMaker* maker, std::shared_ptr<const internal::RankFacts> facts)
      : services_(*services), maker_(*maker), facts_(std::move(facts)) {}

  // Makes a component: runs the constructor, whose outcome is the component's `constructed`. With the instance id of a
  // live component, gives that one. InvalidArgument: the instance id is of another class or group. AlreadyExists: the
  // name is in use.
  absl::StatusOr<Component> New(const internal::ClassInfo& class_info, const internal::ConstructorInfo& constructor,
                                const NewOptions& options, std::vector<internal::CallArgument> arguments,
                                internal::CallSite site);
  // The component of that name. Null: there is none; also for the empty name.
  Component Named(absl::string_view name) const { return components_.Named(name); }
  // Destroys all objects; calls fail with `why` from now on. An object that is in use beyond the deadline is left
  // alone.
  void EndAll(const absl::Status& why, base::Instant deadline) { components_.EndAll(why, deadline); }

  std::shared_ptr<internal::LazyCore> Call(const Component& component, CallRequest request) override;
  absl::Status WaitReady(const internal::ComponentRef& component, absl::Duration limit,
                         internal::CallSite site) override;
  absl::Status Release(const internal::ComponentRef& component, internal::CallSite site) override;
  void Kill(const internal::ComponentRef& component, internal::CallSite site) override;
  int world_size(const internal::ComponentRef&) const override { return 1; }
  absl::Status CheckLeaves() const override;
  base::JobKey job() const override { return services_.options.job; }

 private:
  std::shared_ptr<LocalComponent> Describe(const internal::ClassInfo& class_info, const NewOptions& options);
  internal::Outcome Construct(const LocalComponent& component, const internal::ConstructorInfo& constructor,
                              std::vector<internal::CallArgument>& arguments) const;
  void CallNow(const LocalComponent& component, OutgoingCall& call) const;
  internal::Outcome Run(const LocalComponent& component, const OutgoingCall& call,
                        std::span<internal::Argument> arguments, bool* killed) const;
  CallContext ContextOf(const LocalComponent& component) const;
  const absl::Status* WhyAborted(const LocalComponent& component) const;
  bool IsAsMade(const LocalComponent& component) const;

  const Services& services_;
  CallMaker& maker_;
  const std::shared_ptr<const internal::RankFacts> facts_;
  std::atomic<uint64_t> next_ = 1;
  LocalComponents components_;
};

}  // namespace twinkle::actor
