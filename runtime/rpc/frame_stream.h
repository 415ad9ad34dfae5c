// Frames as a stream of bytes: what carries them may cut it anywhere.
//
//   frame  = buffers: u32 | head size: u64 | size of each buffer: u64 … | head | each buffer
//
// Numbers are little-endian.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/memory.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// What precedes the frame's head and buffers.
std::string FramePrefix(const Frame& frame);

// What a peer may ask memory for.
struct FrameLimits {
  uint32_t buffers = 1 << 20;
  uint64_t head_bytes = uint64_t{1} << 30;
  uint64_t total_bytes = uint64_t{1} << 38;
};

// Puts frames together again. Buffers are in memory of their own, aligned for any element type, which is taken as their
// bytes come. One for which there is no memory is missing from its frame (codec::Missing). Not thread-safe.
class FrameReader {
 public:
  explicit FrameReader(const FrameLimits& limits = {}) : limits_(limits) {}

  // Takes the next bytes, appends the frames that they complete. InvalidArgument: sizes beyond the limits. The rest of
  // the stream makes no sense then.
  absl::Status Read(std::string_view bytes, std::vector<Frame>* frames);
  // Whether the next byte is a frame's first.
  bool is_between_frames() const { return part_ == Part::kPrefix && text_.empty(); }

 private:
  // prefix -> sizes -> head -> buffers -> prefix …
  enum class Part { kPrefix, kSizes, kHead, kBuffers };
  // Moves up to `wanted - text_.size()` bytes to `text_`; whether all are there.
  bool Fill(std::string_view* bytes, size_t wanted);
  absl::Status BeginSizes();
  absl::Status BeginHead();
  void BeginBuffer();
  bool FillBuffer(std::string_view* bytes);

  const FrameLimits limits_;
  Part part_ = Part::kPrefix;
  std::string text_;  // of the part under way
  uint32_t buffers_ = 0;
  uint64_t head_bytes_ = 0;
  std::vector<uint64_t> sizes_;
  Frame frame_;
  bool filling_ = false;        // the last buffer in frame_
  base::GrowingMemory memory_;  // of that one; none: its bytes are dropped
  uint64_t filled_ = 0;
};

}  // namespace twinkle::rpc
