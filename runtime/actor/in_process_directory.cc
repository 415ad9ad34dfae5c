#include "runtime/actor/in_process_directory.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <optional>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/ports.h"

namespace twinkle::actor {

absl::Status NoSuchGroup(absl::string_view name, const std::vector<std::string>& names) {
  return absl::InvalidArgumentError(absl::StrCat("there is no group '", name, "'; the session's groups are: ",
                                                 names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

absl::StatusOr<GroupInfo> InProcessDirectory::FindGroup(absl::string_view name) {
  std::vector<std::string> names;
  for (const GroupInfo& group : groups_) {
    if (group.name == name) return group;
    names.push_back(group.name);
  }
  return NoSuchGroup(name, names);
}

absl::StatusOr<ComponentInfo> InProcessDirectory::AddComponent(ComponentInfo component, absl::string_view instance_id,
                                                               bool* existed) {
  base::MutexLock lock(&mutex_);
  base::ComponentNames::Names names{0, component.name, std::string(instance_id), component.class_name, component.group};
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<uint64_t> live, names_.Check(names));
  *existed = live.has_value();
  if (live) return components_[*live];
  component.id = next_++;
  if (!component.shared_lane) {
    component.domain = component.id;
    component.domain_workers = component.workers;
  }
  names_.Add(component.id, std::move(names));
  components_[component.id] = component;
  return component;
}

void InProcessDirectory::RemoveComponent(uint64_t id) {
  base::MutexLock lock(&mutex_);
  names_.Remove(id);
  components_.erase(id);
  rendezvous_.erase(id);
}

absl::StatusOr<ComponentInfo> InProcessDirectory::FindComponent(absl::string_view name) {
  base::MutexLock lock(&mutex_);
  if (const std::optional<uint64_t> id = names_.Named(name)) return components_[*id];
  return absl::NotFoundError(absl::StrCat("there is no component named '", name, "'"));
}

std::vector<ComponentInfo> InProcessDirectory::Components() {
  base::MutexLock lock(&mutex_);
  std::vector<ComponentInfo> all;
  for (const auto& [id, component] : components_) all.push_back(component);
  return all;
}

void InProcessDirectory::SetAborted(absl::string_view group) {
  base::MutexLock lock(&mutex_);
  aborted_.emplace(group);
}

bool InProcessDirectory::IsAborted(absl::string_view group) {
  base::MutexLock lock(&mutex_);
  return aborted_.find(group) != aborted_.end();
}

absl::StatusOr<std::string> InProcessDirectory::Rendezvous(uint64_t component) {
  base::MutexLock lock(&mutex_);
  std::string& address = rendezvous_[component];
  while (address.empty()) {
    const std::vector<int> ports = rpc::FreePorts(1);
    if (ports.empty()) return absl::ResourceExhaustedError("this machine has no free TCP port");
    // Nobody listens on the ports that were given out yet: the kernel may offer one again.
    if (ports_.insert(ports[0]).second) address = absl::StrCat("127.0.0.1:", ports[0]);
  }
  return address;
}

}  // namespace twinkle::actor
