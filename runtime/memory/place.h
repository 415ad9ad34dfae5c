// Where another process finds a run of bytes of this one's memory.
#pragma once

#include <cstdint>
#include <variant>

namespace twinkle::memory {

// In a segment: a memory file, which others open as /proc/PID/fd/FD.
struct SegmentPlace {
  uint64_t segment = 0;  // never used again for another one of that process
  int fd = -1;           // of the owner
  uint64_t inode = 0;    // of the file: a descriptor's number may be another file's by now
  uint64_t segment_bytes = 0;
  uint64_t offset = 0;  // of the first byte, from the segment's
};

// The kinds of memory that others can map, by number: the alternative's index. It is a wire format: a new kind goes to
// the end, and none is taken away.
using Place = std::variant<SegmentPlace>;

}  // namespace twinkle::memory
