// The directory of a job that is all in one process.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/actor/directory.h"
#include "runtime/base/component_names.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// Keeps groups and components in memory. Thread-safe; does not block.
class InProcessDirectory final : public Directory {
 public:
  explicit InProcessDirectory(std::vector<GroupInfo> groups) : groups_(std::move(groups)) {}

  absl::StatusOr<GroupInfo> FindGroup(absl::string_view name) override;
  absl::StatusOr<ComponentInfo> AddComponent(ComponentInfo component, absl::string_view instance_id,
                                             bool* existed) override;
  void RemoveComponent(uint64_t id) override;
  absl::StatusOr<ComponentInfo> FindComponent(absl::string_view name) override;
  std::vector<ComponentInfo> Components() override;
  void SetAborted(absl::string_view group) override;
  bool IsAborted(absl::string_view group) override;
  absl::StatusOr<std::string> Rendezvous(uint64_t component) override;

  const std::vector<GroupInfo>& groups() const { return groups_; }

 private:
  const std::vector<GroupInfo> groups_;

  base::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, ComponentInfo> components_ ABSL_GUARDED_BY(mutex_);
  base::ComponentNames names_ ABSL_GUARDED_BY(mutex_);                  // of all of them
  std::set<std::string, std::less<>> aborted_ ABSL_GUARDED_BY(mutex_);  // groups
  std::set<int> ports_ ABSL_GUARDED_BY(mutex_);                         // given out
  std::map<uint64_t, std::string> rendezvous_ ABSL_GUARDED_BY(mutex_);  // by component
};

}  // namespace twinkle::actor
