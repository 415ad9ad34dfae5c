// The messages of a link: each has a header, and a part of the stream of frames, plain or compressed.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <vector>

#include "runtime/rpc/frame_stream.h"
#include "runtime/rpc/grpc/message_header.h"
#include "runtime/rpc/traffic.h"

namespace twinkle::rpc {

inline constexpr size_t kMessageBytes = 1 << 20;  // most bytes of frames in one message
// The longest message that is accepted, in bytes.
inline constexpr int kLongestMessage = kMessageBytes + (64 << 10);
inline constexpr size_t kCompressedBytes = 64 << 10;  // messages of at least this many bytes may be compressed

// Calls add(slice) for the frame's bytes in order. Large buffers are passed by reference.
void EachSlice(const Frame& frame, absl::FunctionRef<void(grpc::Slice)> add);

// A message that is ready to be sent.
struct MessageBytes {
  grpc::ByteBuffer bytes;
  size_t payload = 0;  // bytes of frames, before compression
  bool compressed = false;
};
// Makes a message. `slices` have `payload` bytes together. With `compress` they are compressed if that makes them
// shorter. That takes milliseconds, and is counted in `traffic`.
MessageBytes MessageOf(MessageHeader header, std::vector<grpc::Slice> slices, size_t payload, bool compress,
                       Traffic& traffic);

// The header of a received message. `used`: set to the header's bytes. InvalidArgument: it is no header.
absl::StatusOr<MessageHeader> HeaderOf(const std::vector<grpc::Slice>& slices, size_t* used);
// Reads a message's frames, from `skipped` bytes behind its beginning, and appends those that end in it.
// InvalidArgument: the bytes are no frames.
absl::Status ReadFrames(const std::vector<grpc::Slice>& slices, size_t skipped, bool compressed, FrameReader& reader,
                        std::vector<Frame>* frames);

}  // namespace twinkle::rpc
