// The components of all jobs, and the names that programs gave them.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

// Not thread-safe.
class ComponentTable {
 public:
  // `next`: the id of the first that is added.
  explicit ComponentTable(uint64_t next) : next_(next) {}

  // Gives it an id. With the instance id of another one of that job and of its class and group, the other comes back
  // (`existed`). AlreadyExists: the cluster has its name. InvalidArgument: the instance id is of another class or
  // group.
  absl::StatusOr<v1::AddComponentReply> Add(uint64_t job, v1::Component component);
  // Whether it was there.
  bool Remove(uint64_t id);

  // Null: there is none. Until the next change.
  const v1::Component* Get(uint64_t id) const;
  const v1::Component* Named(const std::string& name) const;
  v1::Components Of(uint64_t job) const;

 private:
  uint64_t next_;
  std::map<uint64_t, v1::Component> components_;  // by id
};

}  // namespace twinkle::driver
