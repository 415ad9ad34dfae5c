// Components on groups: making them, calls on them, and their end.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <vector>

#include "runtime/actor/call_maker.h"
#include "runtime/actor/calls.h"
#include "runtime/actor/constructions.h"
#include "runtime/actor/host.h"
#include "runtime/actor/keeper.h"

namespace twinkle::actor {

// What handles to components on groups do. Within its group a component means this rank's object; another rank's can be
// named by Rank(i). Thread-safe.
class GroupCalls final : public Calls {
 public:
  struct Parts {
    CallMaker* maker;
    Keeper* keeper;
    std::shared_ptr<Caller> caller;
    Host* host;
    Constructions* constructions;
  };
  GroupCalls(const Services* services, Parts parts) : services_(*services), parts_(std::move(parts)) {}

  // A handle of this process to a component.
  std::shared_ptr<internal::ComponentRef> Bind(const ComponentInfo& info);
  // Makes a component on a group; the construction's failure is that of its lazy. With the instance id of a live
  // component, gives that one. InvalidArgument: there is no such group; the instance id is of another class or group.
  // AlreadyExists: the name is in use.
  absl::StatusOr<Component> New(const internal::ClassInfo& class_info, const internal::ConstructorInfo& constructor,
                                const NewOptions& options, std::vector<internal::CallArgument> arguments,
                                internal::CallSite site);

  std::shared_ptr<internal::LazyCore> Call(const Component& component, CallRequest request) override;
  absl::Status WaitReady(const internal::ComponentRef& component, absl::Duration limit,
                         internal::CallSite site) override;
  absl::Status Release(const internal::ComponentRef& component, internal::CallSite site) override;
  // Ends the component's group. The components of another job's groups live on: only their program ends them.
  void Kill(const internal::ComponentRef& component, internal::CallSite site) override;
  int world_size(const internal::ComponentRef& component) const override;
  absl::Status CheckLeaves() const override { return absl::OkStatus(); }
  base::JobKey job() const override { return services_.options.job; }

 private:
  absl::StatusOr<ComponentInfo> Describe(const internal::ClassInfo& class_info, const NewOptions& options) const;
  bool IsOwnObject(const ComponentInfo& component, std::optional<int> rank) const;
  void CallOwn(const std::shared_ptr<OutgoingCall>& call);
  std::vector<rpc::ProcessId> WorkersOfGroup(const ComponentInfo& component) const;

  const Services& services_;
  const Parts parts_;
};

}  // namespace twinkle::actor
