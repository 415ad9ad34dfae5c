// DeviceGroup: a named set of worker processes.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace twinkle {

// How many devices (or CPU slots), or which device indexes of the job.
class DeviceRanks {
 public:
  DeviceRanks() = default;
  DeviceRanks(int count) : count_(count) {}                                                    // NOLINT
  DeviceRanks(std::initializer_list<int> indexes) : DeviceRanks(std::vector<int>(indexes)) {}  // NOLINT
  DeviceRanks(std::vector<int> indexes)
      : count_(static_cast<int>(indexes.size())), indexes_(std::move(indexes)) {}  // NOLINT

  int count() const { return count_; }
  const std::vector<int>& indexes() const& { return indexes_; }  // empty: any
  std::vector<int> indexes() && { return std::move(indexes_); }

 private:
  int count_ = 1;
  std::vector<int> indexes_;
};

// Which devices a worker process sees: all that the job has on its node, of which `cuda:LOCAL_RANK` is its own, as
// programs for torchrun expect; or its own alone, with LOCAL_RANK 0.
enum class VisibleDevices { kAll, kOwn };

// Each field is explained in docs/options.md. New fields come at the end, so designated initialisers stay good.
struct DeviceGroup {
  std::string name = {};
  DeviceRanks ranks = {};
  std::string device_type = "cuda";      // "cpu": no devices
  int devices_per_worker = 1;            // divides the number of ranks
  std::string shares_devices_with = {};  // another device group, whose devices this one's processes use too
  VisibleDevices visible_devices = VisibleDevices::kAll;
};

}  // namespace twinkle
