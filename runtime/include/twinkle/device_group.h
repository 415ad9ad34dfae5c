// DeviceGroup: a named set of worker processes.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace twinkle {

// The devices of a group: a number of devices (or CPU slots), or a list of device indexes of the job.
class DeviceRanks {
 public:
  DeviceRanks() = default;
  DeviceRanks(int count) : count_(count) {}                                                    // NOLINT
  DeviceRanks(std::initializer_list<int> indexes) : DeviceRanks(std::vector<int>(indexes)) {}  // NOLINT
  DeviceRanks(std::vector<int> indexes)
      : count_(static_cast<int>(indexes.size())), indexes_(std::move(indexes)) {}  // NOLINT

  int count() const { return count_; }
  const std::vector<int>& indexes() const& { return indexes_; }  // empty: any devices
  std::vector<int> indexes() && { return std::move(indexes_); }

 private:
  int count_ = 1;
  std::vector<int> indexes_;
};

// The devices that a worker process sees. kAll: all that the job has on its node, as programs for torchrun expect; its
// own is `cuda:LOCAL_RANK`. kOwn: only its own, with LOCAL_RANK 0.
enum class VisibleDevices { kAll, kOwn };

// A group of worker processes. Each field is explained in docs/options.md. New fields are added at the end, so that
// designated initialisers remain valid.
struct DeviceGroup {
  std::string name = {};
  DeviceRanks ranks = {};
  std::string device_type = "cuda";      // "cpu": no devices
  int devices_per_worker = 1;            // must divide the number of ranks
  std::string shares_devices_with = {};  // another device group, whose devices this group's processes use, too
  VisibleDevices visible_devices = VisibleDevices::kAll;
};

}  // namespace twinkle
