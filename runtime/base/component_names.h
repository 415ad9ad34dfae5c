// The names of components: who has one already, and what is said to who asks for it once more.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace twinkle::base {

// Not thread-safe.
class ComponentNames {
 public:
  struct Names {
    uint64_t scope = 0;       // a job: instance ids are of one, names of all
    std::string name;         // empty: it has none
    std::string instance_id;  // empty: it has none
    std::string class_name;
    std::string group;
  };

  // The id of the live component with that instance id, which is meant; nothing: there is none, and it may be added.
  // InvalidArgument: that one is of another class or group. AlreadyExists: another has its name.
  absl::StatusOr<std::optional<uint64_t>> Check(const Names& names) const;
  // REQUIRES: Check has given nothing; no other has the id.
  void Add(uint64_t id, Names names);
  void Remove(uint64_t id);

  // Nothing: none has it. None has the empty name.
  std::optional<uint64_t> Named(absl::string_view name) const;

 private:
  std::map<uint64_t, Names> names_;  // by id
  std::map<std::string, uint64_t, std::less<>> by_name_;
  std::map<std::pair<uint64_t, std::string>, uint64_t> by_instance_;  // by scope and instance id
};

}  // namespace twinkle::base
