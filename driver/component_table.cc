#include "driver/component_table.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace twinkle::driver {

absl::StatusOr<v1::AddComponentReply> ComponentTable::Add(uint64_t job, v1::Component component) {
  v1::AddComponentReply reply;
  for (const auto& [id, other] : components_) {
    if (other.job() == job && !component.instance_id().empty() && other.instance_id() == component.instance_id()) {
      if (other.class_name() != component.class_name() || other.group() != component.group()) {
        return absl::InvalidArgumentError(absl::StrCat("instance_id '", other.instance_id(), "' is a ",
                                                       other.class_name(), " in group '", other.group(),
                                                       "', and of one class and group only: give this component "
                                                       "another, or release that one"));
      }
      *reply.mutable_component() = other;
      reply.set_existed(true);
      return reply;
    }
    if (!component.name().empty() && other.name() == component.name()) {
      return absl::AlreadyExistsError(
          absl::StrCat("there is a component named '", component.name(), "' already",
                       other.job() == job ? "" : absl::StrCat(" (of job ", other.job(), ")")));
    }
  }
  component.set_job(job);
  component.set_id(next_++);
  components_[component.id()] = component;
  *reply.mutable_component() = std::move(component);
  return reply;
}

bool ComponentTable::Remove(uint64_t id) { return components_.erase(id) > 0; }

const v1::Component* ComponentTable::Get(uint64_t id) const {
  const auto found = components_.find(id);
  return found == components_.end() ? nullptr : &found->second;
}

const v1::Component* ComponentTable::Named(const std::string& name) const {
  for (const auto& [id, component] : components_) {
    if (!name.empty() && component.name() == name) return &component;
  }
  return nullptr;
}

v1::Components ComponentTable::Of(uint64_t job) const {
  v1::Components all;
  for (const auto& [id, component] : components_) {
    if (component.job() == job) *all.add_components() = component;
  }
  return all;
}

}  // namespace twinkle::driver
