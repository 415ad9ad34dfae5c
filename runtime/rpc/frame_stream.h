// Frames as a stream of bytes, which may be cut into messages anywhere.
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

// The prefix of a frame in the stream: the sizes, up to its head.
std::string FramePrefix(const Frame& frame);

// Limits for one frame, and so for the memory that a peer can make this process take.
struct FrameLimits {
  uint32_t buffers = 1 << 20;  // number of buffers
  uint64_t head_bytes = uint64_t{1} << 30;
  uint64_t total_bytes = uint64_t{1} << 38;  // of all buffers
};

// Reads frames from a stream of bytes. Each buffer gets memory of its own, aligned for any element type, which grows as
// the bytes arrive. A buffer for which there is no memory is missing from its frame (codec::Missing); the stream goes
// on. For one thread at a time.
class FrameReader {
 public:
  explicit FrameReader(const FrameLimits& limits = {}) : limits_(limits) {}

  // Takes the next bytes of the stream, and appends the frames that they complete. InvalidArgument: a frame is beyond
  // the limits; the rest of the stream cannot be read any more.
  absl::Status Read(std::string_view bytes, std::vector<Frame>* frames);
  // Whether the next byte begins a frame.
  bool is_between_frames() const { return part_ == Part::kPrefix && text_.empty(); }

 private:
  // The part of a frame that is being read: prefix -> sizes -> head -> buffers -> prefix …
  enum class Part { kPrefix, kSizes, kHead, kBuffers };
  // Fills `text_` up to `wanted` bytes, as far as there are bytes. Returns whether it is full.
  bool Fill(std::string_view* bytes, size_t wanted);
  absl::Status BeginSizes();
  absl::Status BeginHead();
  void BeginBuffer();
  bool FillBuffer(std::string_view* bytes);

  const FrameLimits limits_;
  Part part_ = Part::kPrefix;
  std::string text_;  // bytes of the prefix, sizes or head
  uint32_t buffers_ = 0;
  uint64_t head_bytes_ = 0;
  std::vector<uint64_t> sizes_;
  Frame frame_;
  bool filling_ = false;        // whether the last buffer of `frame_` is incomplete
  base::GrowingMemory memory_;  // memory of that buffer; none: its bytes are dropped
  uint64_t filled_ = 0;         // bytes of that buffer so far
};

}  // namespace twinkle::rpc
