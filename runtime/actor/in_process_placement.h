// The placement of a job whose processes are all in this one.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "runtime/actor/placement.h"

namespace twinkle::actor {

// A Placement that can kill nothing. Constant once made.
class InProcessPlacement final : public Placement {
 public:
  using MachineOfProcess = std::function<uint64_t(rpc::ProcessId)>;

  // `machine_of`: for tests of what crosses between machines; may be empty.
  explicit InProcessPlacement(std::string place, MachineOfProcess machine_of = {})
      : place_(std::move(place)), machine_of_(std::move(machine_of)) {}

  std::string PlaceOf(rpc::ProcessId) const override { return place_; }
  uint64_t MachineOf(rpc::ProcessId process) const override {
    if (!machine_of_) return 0;
    return machine_of_(process);
  }
  bool kills() const override { return false; }
  void EndGroup(rpc::ProcessId, const std::string&, const absl::Status&) override {}

 private:
  const std::string place_;
  const MachineOfProcess machine_of_;
};

}  // namespace twinkle::actor
