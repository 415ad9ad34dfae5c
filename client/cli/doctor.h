// What would keep a cluster from working on this machine.
#pragma once

#include <string>
#include <vector>

namespace twinkle::cli {

struct Finding {
  enum class Level { kFine, kNote, kBad };
  Level level = Level::kFine;
  std::string what;
  std::string detail;  // and the way out, where there is one
};

// `driver` may be empty: then it is not asked. Blocks for some seconds at most.
std::vector<Finding> Examine(const std::string& driver, const std::string& token_file);

}  // namespace twinkle::cli
