// The command `twinkle doctor`: looks for what would keep a cluster from working on this machine.
#pragma once

#include <string>
#include <vector>

namespace twinkle::cli {

// One line of the doctor's report.
struct Finding {
  enum class Level { kFine, kNote, kBad };
  Level level = Level::kFine;
  std::string what;
  std::string detail;  // with the way out, where there is one
};

// Examines this machine, the files that a cluster needs on it and, unless `driver` is empty, the connection to a
// driver. The environment is this process's: of ranks it is that of their twinkle-worker. Blocks, for some seconds at
// most.
std::vector<Finding> Examine(const std::string& driver, const std::string& token_file);

}  // namespace twinkle::cli
