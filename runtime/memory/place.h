// Place: where another process finds a run of bytes of this process's memory.
#pragma once

#include <cstdint>
#include <variant>

namespace twinkle::memory {

// A place in a segment, which is a memory file that others open as /proc/PID/fd/FD.
struct SegmentPlace {
  uint64_t segment = 0;  // the segment's number; the process never uses it again
  int fd = -1;           // of the segment's owner
  uint64_t inode = 0;    // of the file: the descriptor's number may be another file's by now
  uint64_t segment_bytes = 0;
  uint64_t offset = 0;  // of the first byte in the segment
};

// A place in any kind of memory that others can map. The index of an alternative is a wire format: who adds a kind
// changes the protocol (rpc/protocol.h).
using Place = std::variant<SegmentPlace>;

}  // namespace twinkle::memory
