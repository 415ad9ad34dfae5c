#include "runtime/actor/local/local_components.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

LocalComponents::Component LocalComponents::Named(absl::string_view name) const {
  base::MutexLock lock(&mutex_);
  const std::optional<uint64_t> id = names_.Named(name);
  return id ? components_.at(*id) : nullptr;
}

absl::StatusOr<LocalComponents::Component> LocalComponents::Add(Component component, const std::string& instance_id) {
  const ComponentInfo& info = component->info;
  base::ComponentNames::Names names{0, info.name, instance_id, info.class_name, info.group};
  base::MutexLock lock(&mutex_);
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<uint64_t> live, names_.Check(names));
  if (live) return components_.at(*live);
  names_.Add(component->id, std::move(names));
  components_[component->id] = component;
  return component;
}

void LocalComponents::Remove(uint64_t id) {
  base::MutexLock lock(&mutex_);
  names_.Remove(id);
  components_.erase(id);
}

std::vector<LocalComponents::Component> LocalComponents::All() const {
  std::vector<Component> all;
  base::MutexLock lock(&mutex_);
  for (const auto& [id, component] : components_) all.push_back(component);
  return all;
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
  for (const Component& component : All()) {
    if (component->group != group) continue;
    const std::unique_lock lock(component->object->mutex, std::try_to_lock);
    if (lock.owns_lock()) component->object->End(*group->WhyEnded());  // the first reason
  }
}

void LocalComponents::EndAll(const absl::Status& why, base::Instant deadline) {
  std::map<uint64_t, Component> components;
  {
    base::MutexLock lock(&mutex_);
    components.swap(components_);
    names_ = {};
  }
  for (const auto& [id, component] : components) {
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
