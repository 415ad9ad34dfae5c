// The folder for results that do not fit into memory.
#pragma once

#include <cstdlib>
#include <string>

namespace twinkle::object {

inline constexpr char kSpillFolder[] = "/var/tmp";  // where nobody names another

// $TWINKLE_SPILL_DIR, else kSpillFolder.
inline std::string SpillFolderOfEnvironment() {
  const char* const folder = std::getenv("TWINKLE_SPILL_DIR");
  return folder != nullptr ? folder : kSpillFolder;
}

}  // namespace twinkle::object
