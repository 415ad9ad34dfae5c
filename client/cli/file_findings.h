// What the doctor finds of files: the token, and the folder for results that do not fit into memory.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/doctor.h"

namespace twinkle::cli {

// Whether the token file can be used. `needed`: a cluster is named that asks for the token, so it must be there;
// without one the file may be missing, since the driver of a cluster makes it. Blocks for the disk.
Finding TokenFinding(const std::string& file, bool needed);

// Whether results can go to a folder, and how much room it has. It is bad that no file can be made there, and that the
// disk is full; less than kLittleRoom is a note. Blocks for the disk.
Finding SpillFinding(const std::string& folder);

// The room of a disk is judged by this pure function.
inline constexpr uint64_t kLittleRoom = 1ULL << 30;
Finding RoomFinding(const std::string& folder, uint64_t free_bytes);

}  // namespace twinkle::cli
