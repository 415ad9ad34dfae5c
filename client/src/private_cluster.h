// A driver and a node daemon of the session's own, when no driver is named: children of the program, for as long as the
// session lasts.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/fd_channel.h"
#include "runtime/rpc/parent_link.h"

namespace twinkle::internal {

class PrivateCluster {
 public:
  // Starts both and returns at once; they are there when the driver's target answers. NotFound: the services are not
  // installed beside the library.
  static absl::StatusOr<std::unique_ptr<PrivateCluster>> Start();
  // Ends both and waits for it.
  ~PrivateCluster();

  const rpc::PrivateRole& role() const { return role_; }
  // Blocks until both serve. Unavailable: one has ended. DeadlineExceeded.
  absl::Status AwaitReady(base::Instant deadline) const;
  // Unavailable: one has ended.
  absl::Status CheckAlive() const;

 private:
  struct Service {
    std::string name;
    pid_t pid = 0;
    rpc::Fd link;
  };
  PrivateCluster() = default;
  absl::Status StartService(const std::string& folder, const std::string& name);

  rpc::PrivateRole role_;
  std::vector<Service> services_;
};

}  // namespace twinkle::internal
