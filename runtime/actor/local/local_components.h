// The components of a process that are objects of its own.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/local/local_component.h"
#include "runtime/actor/local/local_group.h"
#include "runtime/base/clock.h"
#include "runtime/base/component_names.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// Keeps such components until they are released or the process ends, whatever happens to their handles. Thread-safe.
class LocalComponents {
 public:
  using Component = std::shared_ptr<const LocalComponent>;

  // The component of that name. Null: there is none; also for the empty name.
  Component Named(absl::string_view name) const;

  // Keeps the component and gives it back; or gives the live one with that instance id. InvalidArgument: that is of
  // another class or group. AlreadyExists: the component's name is in use.
  absl::StatusOr<Component> Add(Component component, const std::string& instance_id);
  // Removes a component, by its id.
  void Remove(uint64_t id);
  // The group of that name, made when it is first asked for.
  std::shared_ptr<LocalGroup> GroupNamed(const std::string& name);
  // Ends a group. Its objects go at once, but for those that are in use: these go with the method. The components stay
  // known.
  void EndGroup(const std::string& name, const absl::Status& why);
  // Destroys all objects; calls fail with `why` from now on. An object that is in use beyond the deadline is left
  // alone.
  void EndAll(const absl::Status& why, base::Instant deadline);

 private:
  std::vector<Component> All() const;

  mutable base::Mutex mutex_;
  std::map<uint64_t, Component> components_ ABSL_GUARDED_BY(mutex_);  // by id
  base::ComponentNames names_ ABSL_GUARDED_BY(mutex_);                // of all of them
  std::map<std::string, std::shared_ptr<LocalGroup>> groups_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::actor
