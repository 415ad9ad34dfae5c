// Calls: what can be done with a component through a handle of this process.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/class_info.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.h"

namespace twinkle::internal {
struct ComponentRef;
class LazyCore;
}  // namespace twinkle::internal

namespace twinkle::actor {

// A call of a method, as a handle asks for it.
struct CallRequest {
  const internal::MethodInfo* method = nullptr;
  std::optional<int> rank;  // Rank(i)
  std::vector<internal::CallArgument> arguments;
  internal::CallSite site;
  const internal::Type* collected = nullptr;
  internal::AnswerOps answer;
};

// What New is given besides the constructor's arguments.
struct NewOptions {
  std::string group;  // empty: an object of this process
  std::optional<DeviceMesh> mesh;
  std::string instance_id;
  std::string name;
  std::optional<bool> sync;
  std::optional<bool> lazy_collect;
  bool local = false;  // an object of this process, whatever the group
};

// Calls on components of one kind: those on groups (group_calls.h), or those that are objects of this process
// (local/local_calls.h). Thread-safe. REQUIRES, of each function: this has made the component.
class Calls {
 public:
  using Component = std::shared_ptr<const internal::ComponentRef>;
  virtual ~Calls() = default;

  // Calls a method. Returns at once, unless the call runs in this thread or is `sync`. A failure is the lazy's.
  virtual std::shared_ptr<internal::LazyCore> Call(const Component& component, CallRequest request) = 0;
  // Blocks until the component's objects are there, or the limit. Errors: the construction's; what a rank says of the
  // component now.
  virtual absl::Status WaitReady(const internal::ComponentRef& component, absl::Duration limit,
                                 internal::CallSite site) = 0;
  // Ends the component's objects, after the calls made before.
  virtual absl::Status Release(const internal::ComponentRef& component, internal::CallSite site) = 0;
  // Ends the group that the component is on. If it is one object of this process, ends the object.
  virtual void Kill(const internal::ComponentRef& component, internal::CallSite site) = 0;

  virtual int world_size(const internal::ComponentRef& component) const = 0;
  // Whether the component's handle may leave this process. InvalidArgument: no other process can reach the component.
  virtual absl::Status CheckLeaves() const = 0;
  virtual base::JobKey job() const = 0;
};

}  // namespace twinkle::actor
