// Components whose makers, ranks of the job, are lost: nobody knows whether they are there.
#pragma once

#include <set>

#include "runtime/actor/services.h"
#include "runtime/base/mutex.h"

namespace twinkle::actor {

// The program's care for such components: nobody finds one any more that its lost maker did not make. Whoever knows the
// component is told (OrphanedMessage). Thread-safe. A directory that does not answer
// knows no components: then nobody is told.
class LostMakers {
 public:
  explicit LostMakers(const Services* services) : services_(*services) {}

  // A rank is lost. Returns at once; the directory is asked on the collector.
  void Add(rpc::ProcessId maker);

 private:
  void TellOrphans();

  const Services& services_;
  base::Mutex mutex_;
  std::set<rpc::ProcessId> makers_ ABSL_GUARDED_BY(mutex_);  // whose components were not looked for yet
};

}  // namespace twinkle::actor
