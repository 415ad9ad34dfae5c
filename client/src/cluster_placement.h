// The placement of a job on a cluster, as one of its processes knows it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "client/src/peer_table.h"
#include "runtime/actor/placement.h"

namespace twinkle::internal {

// Has the driver end the group that the process is of. May be called from any thread for as long as there are calls.
using EndGroup = std::function<void(rpc::ProcessId, const std::string& group, const absl::Status& why)>;

// A Placement that has the driver, or the node's daemon, kill. Thread-safe.
class ClusterPlacement final : public actor::Placement {
 public:
  ClusterPlacement(std::shared_ptr<const PeerTable> table, internal::EndGroup end_group)
      : table_(std::move(table)), end_group_(std::move(end_group)) {}

  std::string PlaceOf(rpc::ProcessId process) const override { return table_->PlaceOf(process); }
  uint64_t MachineOf(rpc::ProcessId process) const override { return table_->MachineOf(process); }
  bool kills() const override { return true; }
  void EndGroup(rpc::ProcessId worker, const std::string& group, const absl::Status& why) override {
    end_group_(worker, group, why);
  }

 private:
  const std::shared_ptr<const PeerTable> table_;
  const internal::EndGroup end_group_;
};

}  // namespace twinkle::internal
