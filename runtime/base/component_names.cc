#include "runtime/base/component_names.h"

#include <absl/strings/str_cat.h>

namespace twinkle::base {

absl::StatusOr<std::optional<uint64_t>> ComponentNames::Check(const Names& names) const {
  if (const auto found = by_instance_.find({names.scope, names.instance_id}); found != by_instance_.end()) {
    const Names& live = names_.at(found->second);
    if (live.class_name == names.class_name && live.group == names.group) return found->second;
    return absl::InvalidArgumentError(
        absl::StrCat("instance_id '", live.instance_id, "' is a ", live.class_name, " in group '", live.group,
                     "', and of one class and group only: give this component another, or release that one"));
  }
  const std::optional<uint64_t> other = Named(names.name);
  if (!other) return std::nullopt;
  const uint64_t scope = names_.at(*other).scope;
  return absl::AlreadyExistsError(absl::StrCat("there is a component named '", names.name, "' already",
                                               scope == names.scope ? "" : absl::StrCat(" (of job ", scope, ")")));
}

void ComponentNames::Add(uint64_t id, Names names) {
  if (!names.name.empty()) by_name_[names.name] = id;
  if (!names.instance_id.empty()) by_instance_[{names.scope, names.instance_id}] = id;
  names_[id] = std::move(names);
}

void ComponentNames::Remove(uint64_t id) {
  const auto removed = names_.extract(id);
  if (removed.empty()) return;
  const Names& names = removed.mapped();
  if (!names.name.empty()) by_name_.erase(names.name);
  if (!names.instance_id.empty()) by_instance_.erase({names.scope, names.instance_id});
}

std::optional<uint64_t> ComponentNames::Named(absl::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

}  // namespace twinkle::base
