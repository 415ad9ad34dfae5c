// Lost ranks that were making components, of which nobody knows now whether they are there.
#pragma once

#include <set>

#include "runtime/actor/services.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// The program sees to it that nobody finds a component which a lost rank was to make, and did not: it tells those who
// know (OrphanedMessage). Thread-safe.
class LostMakers {
 public:
  explicit LostMakers(const Services* services) : services_(*services) {}

  void Add(rpc::ProcessId maker);

 private:
  void TellOrphans();

  const Services& services_;
  base::Mutex mutex_;
  std::set<rpc::ProcessId> makers_ ABSL_GUARDED_BY(mutex_);  // whose components were not looked for yet
};

}  // namespace twinkle::actor
