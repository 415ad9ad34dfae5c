// ComponentNames: the names and instance ids of components, and the errors for those that are taken.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace twinkle::base {

// A table of live components by name and by instance id. For one thread at a time.
class ComponentNames {
 public:
  struct Names {
    uint64_t scope = 0;       // the job; instance ids are unique in it, names in all scopes
    std::string name;         // empty: it has none
    std::string instance_id;  // empty: it has none
    std::string class_name;
    std::string group;
  };

  // Checks whether a component may be added. Nothing: it may. An id: the live component with this instance id, which is
  // to be used instead. InvalidArgument: the instance id belongs to a component of another class or group.
  // AlreadyExists: the name is taken.
  absl::StatusOr<std::optional<uint64_t>> Check(const Names& names) const;
  // Adds a component. REQUIRES: Check has returned nothing, and no component has this id.
  void Add(uint64_t id, Names names);
  void Remove(uint64_t id);

  // The component with this name; nothing: there is none. The empty name is no name.
  std::optional<uint64_t> Named(absl::string_view name) const;

 private:
  std::map<uint64_t, Names> names_;  // by id
  std::map<std::string, uint64_t, std::less<>> by_name_;
  std::map<std::pair<uint64_t, std::string>, uint64_t> by_instance_;  // by scope and instance id
};

}  // namespace twinkle::base
