// The devices of this machine.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>

namespace twinkle::worker {

// "cuda:8", "cuda:4,npu:2", "none". InvalidArgument: anything else.
absl::StatusOr<std::map<std::string, int>> ParseDevices(const std::string& text);

// What the machine's drivers tell: NVIDIA devices, if their management library is there.
std::map<std::string, int> DiscoverDevices();

}  // namespace twinkle::worker
