// A driver and a node daemon of the session's own, when no driver is named: started by the program, for as long as the
// session lasts. They are not its children: a program may wait for all that it has.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/rpc/parent_link.h"
#include "runtime/rpc/private_clusters.h"

namespace twinkle::internal {

class PrivateCluster {
 public:
  // Starts both services and returns at once. They are there when the driver's target answers. NotFound: the services
  // are not installed beside the library.
  static absl::StatusOr<std::unique_ptr<PrivateCluster>> Start();
  // Ends both services and waits for it, for a limited time.
  ~PrivateCluster();

  const rpc::PrivateRole& role() const { return role_; }
  // Blocks until both services serve. Unavailable: one has ended. DeadlineExceeded: they do not serve in time.
  absl::Status AwaitReady(base::Instant deadline);
  // Checks both services. Unavailable: one has ended; with the reason, if it gave one.
  absl::Status CheckAlive();

 private:
  struct Service {
    std::string name;
    pid_t starter = 0;  // what it begins as, and leaves: a child, or its keeper's. It leads the service's process group
    pid_t keeper = 0;   // where orphans are the program's own: the service's parent (service_keeper.h)
    base::Fd link;
    rpc::ServiceFacts facts = {};
  };
  PrivateCluster() = default;
  absl::Status StartService(const std::string& folder, const std::string& name);
  static absl::Status Launch(const std::string& path, std::vector<std::string> words, int link, Service* service);
  // Waits for the children that the services came from, which have ended or soon will, as AwaitChild.
  void ReapStarters(base::Instant deadline);
  // Waits until all services have ended, or the deadline.
  void AwaitEnd(base::Instant deadline);
  // Kills the services that have not ended. Waits until they hold no lock any more, or the deadline.
  void KillRest(base::Instant deadline);

  rpc::PrivateRole role_;
  const std::string records_ = rpc::PrivateClustersFolder();  // of the beginning: the environment may change
  const pid_t program_ = ::getpid();
  std::vector<Service> services_;
};

}  // namespace twinkle::internal
