// RankFacts: what a rank knows of its place.
#pragma once

#include <twinkle/device_mesh.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twinkle::internal {

// The facts on a rank. They never change, and are shared by everything that needs them.
struct RankFacts {
  int rank = 0;
  int world_size = 1;
  std::string group = {};  // empty: the program
  std::optional<DeviceMesh> mesh = std::nullopt;
  std::vector<int> devices = {};  // device indexes of the job
  uint64_t seed = 0;
  uint64_t component = 0;  // 0: none
};

}  // namespace twinkle::internal
