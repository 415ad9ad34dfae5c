#include "runtime/actor/local_components.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/actor/local_object.h"
#include "runtime/base/log.h"

namespace twinkle::actor {

absl::StatusOr<LocalComponents::Component> LocalComponents::WithInstance(absl::string_view instance_id,
                                                                         std::string_view class_name,
                                                                         absl::string_view group) const {
  base::MutexLock lock(&mutex_);
  const auto found = instances_.find(std::string(instance_id));
  if (found == instances_.end()) return Component();
  const ComponentInfo& live = found->second->info;
  if (live.class_name == class_name && live.group == group) return found->second;
  return absl::InvalidArgumentError(
      absl::StrCat("instance_id '", instance_id, "' is a ", live.class_name, " in group '", live.group, "'"));
}

LocalComponents::Component LocalComponents::Named(absl::string_view name) const {
  if (name.empty()) return nullptr;
  base::MutexLock lock(&mutex_);
  const auto found = std::find_if(components_.begin(), components_.end(),
                                  [&](const Component& component) { return component->info.name == name; });
  return found == components_.end() ? nullptr : *found;
}

void LocalComponents::Add(Component component, const std::string& instance_id) {
  base::MutexLock lock(&mutex_);
  if (!instance_id.empty()) instances_[instance_id] = component;
  components_.push_back(std::move(component));
}

void LocalComponents::Remove(const internal::ComponentRef& component) {
  base::MutexLock lock(&mutex_);
  const auto same = [&](const Component& other) { return other->local == component.local; };
  components_.erase(std::remove_if(components_.begin(), components_.end(), same), components_.end());
  for (auto instance = instances_.begin(); instance != instances_.end();) {
    instance = same(instance->second) ? instances_.erase(instance) : std::next(instance);
  }
}

void LocalComponents::EndAll(const absl::Status& why, absl::Time deadline) {
  std::vector<Component> components;
  {
    base::MutexLock lock(&mutex_);
    components.swap(components_);
    instances_.clear();
  }
  for (const Component& component : components) {
    const std::unique_lock lock(component->local->mutex, absl::ToChronoTime(std::max(deadline, absl::UnixEpoch())));
    if (!lock.owns_lock()) {
      base::Log(base::LogLevel::kWarning,
                absl::StrCat("an object of class ", component->info.class_name, " is still in use and is left alone"));
      continue;
    }
    component->local->object.reset();
    component->local->status = why;
  }
}

}  // namespace twinkle::actor
