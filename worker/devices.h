// The devices of this machine: which types, and how many of each.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>

namespace twinkle::worker {

// Parses the option --devices: "cuda:8", "cuda:4,npu:2", "none". Returns the number of devices of each type.
// InvalidArgument: any other text.
absl::StatusOr<std::map<std::string, int>> ParseDevices(const std::string& text);

// The devices that the machine's drivers report: NVIDIA devices, if their management library is installed.
std::map<std::string, int> DiscoverDevices();

}  // namespace twinkle::worker
