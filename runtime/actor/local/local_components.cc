#include "runtime/actor/local/local_components.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"

namespace twinkle::actor {

LocalComponents::Component LocalComponents::Find(absl::string_view name) const {
  if (name.empty()) return nullptr;
  const auto found = std::find_if(components_.begin(), components_.end(),
                                  [&](const Component& component) { return component->info.name == name; });
  return found == components_.end() ? nullptr : *found;
}

LocalComponents::Component LocalComponents::Named(absl::string_view name) const {
  base::MutexLock lock(&mutex_);
  return Find(name);
}

absl::StatusOr<LocalComponents::Component> LocalComponents::Add(Component component, const std::string& instance_id) {
  base::MutexLock lock(&mutex_);
  if (const auto found = instances_.find(instance_id); found != instances_.end()) {
    const ComponentInfo& live = found->second->info;
    if (live.class_name == component->info.class_name && live.group == component->info.group) return found->second;
    return absl::InvalidArgumentError(
        absl::StrCat("instance_id '", instance_id, "' is a ", live.class_name, " in group '", live.group,
                     "', and of one class and group only: give this component another, or release that one"));
  }
  if (const std::string& name = component->info.name; Find(name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", name, "' already"));
  }
  if (!instance_id.empty()) instances_[instance_id] = component;
  components_.push_back(component);
  return component;
}

void LocalComponents::Remove(const internal::ComponentRef& component) {
  base::MutexLock lock(&mutex_);
  const auto same = [&](const Component& other) { return other.get() == &component; };
  components_.erase(std::remove_if(components_.begin(), components_.end(), same), components_.end());
  for (auto instance = instances_.begin(); instance != instances_.end();) {
    instance = same(instance->second) ? instances_.erase(instance) : std::next(instance);
  }
}

std::shared_ptr<LocalGroup> LocalComponents::GroupNamed(const std::string& name) {
  base::MutexLock lock(&mutex_);
  std::shared_ptr<LocalGroup>& group = groups_[name];
  if (group == nullptr) group = std::make_shared<LocalGroup>();
  return group;
}

void LocalComponents::EndGroup(const std::string& name, const absl::Status& why) {
  const std::shared_ptr<LocalGroup> group = GroupNamed(name);
  group->End(why);
  std::vector<Component> components;
  {
    base::MutexLock lock(&mutex_);
    components = components_;
  }
  for (const Component& component : components) {
    if (component->group != group) continue;
    const std::unique_lock lock(component->object->mutex, std::try_to_lock);
    if (lock.owns_lock()) component->object->End(*group->WhyEnded());  // the first reason
  }
}

void LocalComponents::EndAll(const absl::Status& why, base::Instant deadline) {
  std::vector<Component> components;
  {
    base::MutexLock lock(&mutex_);
    components.swap(components_);
    instances_.clear();
  }
  for (const Component& component : components) {
    const std::unique_lock lock(component->object->mutex, std::max(deadline, base::Instant()).ToChrono());
    if (!lock.owns_lock()) {
      base::Log(base::LogLevel::kWarning,
                absl::StrCat("an object of class ", component->info.class_name, " is still in use and is left alone"));
      continue;
    }
    component->object->End(why);
  }
}

}  // namespace twinkle::actor
