#include "driver/component_table.h"

#include <optional>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::driver {

absl::StatusOr<v1::AddComponentReply> ComponentTable::Add(uint64_t job, v1::Component component) {
  base::ComponentNames::Names names{job, component.name(), component.instance_id(), component.class_name(),
                                    component.group()};
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<uint64_t> live, names_.Check(names));
  v1::AddComponentReply reply;
  reply.set_existed(live.has_value());
  if (live) {
    *reply.mutable_component() = components_[*live];
    return reply;
  }
  component.set_job(job);
  component.set_id(next_++);
  names_.Add(component.id(), std::move(names));
  components_[component.id()] = component;
  *reply.mutable_component() = std::move(component);
  return reply;
}

bool ComponentTable::Remove(uint64_t id) {
  names_.Remove(id);
  return components_.erase(id) > 0;
}

const v1::Component* ComponentTable::Get(uint64_t id) const {
  const auto found = components_.find(id);
  return found == components_.end() ? nullptr : &found->second;
}

const v1::Component* ComponentTable::Named(const std::string& name) const {
  const std::optional<uint64_t> id = names_.Named(name);
  return id ? Get(*id) : nullptr;
}

v1::Components ComponentTable::Of(uint64_t job) const {
  v1::Components all;
  for (const auto& [id, component] : components_) {
    if (component.job() == job) *all.add_components() = component;
  }
  return all;
}

}  // namespace twinkle::driver
