// The components of all jobs, and the names that programs gave them.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/component_names.h"

namespace twinkle::driver {

// The components of all jobs, by id and by name. For one thread at a time.
class ComponentTable {
 public:
  // `next`: the id of the first component that is added.
  explicit ComponentTable(uint64_t next) : next_(next) {}

  // Adds a component, and gives it an id. If the job has a component with the same instance id, class and group, that
  // one is returned instead (`existed`). AlreadyExists: the name is taken in the cluster. InvalidArgument: the instance
  // id belongs to a component of another class or group.
  absl::StatusOr<v1::AddComponentReply> Add(uint64_t job, v1::Component component);
  // Removes a component; false: there was none.
  bool Remove(uint64_t id);

  // The component with an id, or a name; null: there is none. Valid until the next change of the table.
  const v1::Component* Get(uint64_t id) const;
  const v1::Component* Named(const std::string& name) const;
  // All components of a job.
  v1::Components Of(uint64_t job) const;

 private:
  uint64_t next_;
  std::map<uint64_t, v1::Component> components_;  // by id
  base::ComponentNames names_;                    // of all of them
};

}  // namespace twinkle::driver
