// The components of a process that are objects of its own.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/local/local_component.h"
#include "runtime/actor/local/local_group.h"
#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// They live until they are released or the process ends, whatever happens to their handles. Thread-safe.
class LocalComponents {
 public:
  using Component = std::shared_ptr<const LocalComponent>;

  // Null when there is none; also for the empty name.
  Component Named(absl::string_view name) const;

  // Keeps the component and gives it back; or gives the live one with that instance id. InvalidArgument: that is of
  // another class or group. AlreadyExists: the component's name is in use.
  absl::StatusOr<Component> Add(Component component, const std::string& instance_id);
  void Remove(const internal::ComponentRef& component);
  // Made when it is first asked for.
  std::shared_ptr<LocalGroup> GroupNamed(const std::string& name);
  // Its objects go at once, but for those that are in use: these go with the method. The components stay known.
  void EndGroup(const std::string& name, const absl::Status& why);
  // Destroys all objects; calls fail with `why` from now on. One that is in use beyond the deadline is left alone.
  void EndAll(const absl::Status& why, base::Instant deadline);

 private:
  Component Find(absl::string_view name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  std::vector<Component> components_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<LocalGroup>> groups_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Component> instances_ ABSL_GUARDED_BY(mutex_);  // those of them that have an instance id
};

}  // namespace twinkle::actor
