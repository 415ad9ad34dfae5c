// What the messages between two processes are made of: a header, and a part of the stream of frames, as it is or
// compressed.
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

inline constexpr size_t kMessageBytes = 1 << 20;  // of frames in one message, at most
// What one message may take of the receiver's memory.
inline constexpr int kLongestMessage = kMessageBytes + (64 << 10);
inline constexpr size_t kCompressedBytes = 64 << 10;  // messages from this size on may be compressed

// The frame's bytes, large buffers by reference.
void EachSlice(const Frame& frame, absl::FunctionRef<void(grpc::Slice)> add);

// One message, to be sent.
struct MessageBytes {
  grpc::ByteBuffer bytes;
  size_t payload = 0;  // of the frames
  bool compressed = false;
};
// `slices` have `payload` bytes together. With `compress` they are compressed where that makes them shorter, which
// takes milliseconds and is counted.
MessageBytes MessageOf(MessageHeader header, std::vector<grpc::Slice> slices, size_t payload, bool compress,
                       Traffic& traffic);

// The header of a message that has come; `used`: its bytes. InvalidArgument: it is none.
absl::StatusOr<MessageHeader> HeaderOf(const std::vector<grpc::Slice>& slices, size_t* used);
// The frames that end in it, `skipped` bytes behind its beginning. InvalidArgument: they are none.
absl::Status ReadFrames(const std::vector<grpc::Slice>& slices, size_t skipped, bool compressed, FrameReader& reader,
                        std::vector<Frame>* frames);

}  // namespace twinkle::rpc
