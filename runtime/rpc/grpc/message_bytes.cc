#include "runtime/rpc/grpc/message_bytes.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kCopiedBytes = 16 << 10;  // buffers up to this size are copied into one slice with what precedes them
constexpr size_t kSampleBytes = 8 << 10;   // compressed on trial
constexpr int kZstdLevel = 1;

grpc::Slice SliceOf(const codec::Buffer& buffer) {
  auto* owner = new std::shared_ptr<const void>(buffer.owner);
  return {const_cast<std::byte*>(buffer.data), buffer.size,
          [](void* kept) { delete static_cast<std::shared_ptr<const void>*>(kept); }, owner};
}

grpc::Slice HeaderSlice(const MessageHeader& header) { return grpc::Slice(header.Encode()); }

// The compressor of this thread. To make one takes longer than to compress a short message.
ZSTD_CCtx* Compressor() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> kContext(ZSTD_createCCtx());
  return kContext.get();
}
ZSTD_DCtx* Decompressor() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> kContext(ZSTD_createDCtx());
  return kContext.get();
}

// Whether compression makes the slices shorter by a tenth. It is tried on the middle of the longest one, which stands
// for all.
bool GetsShorter(const std::vector<grpc::Slice>& slices) {
  const grpc::Slice& longest = *std::max_element(
      slices.begin(), slices.end(), [](const grpc::Slice& a, const grpc::Slice& b) { return a.size() < b.size(); });
  const size_t bytes = std::min(longest.size(), kSampleBytes);
  std::array<char, ZSTD_COMPRESSBOUND(kSampleBytes)> shorter;
  const size_t size = ZSTD_compressCCtx(Compressor(), shorter.data(), shorter.size(),
                                        longest.begin() + (longest.size() - bytes) / 2, bytes, kZstdLevel);
  return ZSTD_isError(size) == 0 && size < bytes / 10 * 9;
}

// The slices, compressed into one; nothing: they do not become shorter.
std::optional<grpc::Slice> Compressed(const std::vector<grpc::Slice>& slices, size_t bytes) {
  std::string text;
  text.reserve(bytes);
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  std::string shorter(ZSTD_compressBound(bytes), '\0');
  const size_t size =
      ZSTD_compressCCtx(Compressor(), shorter.data(), shorter.size(), text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size >= bytes) return std::nullopt;
  return grpc::Slice(shorter.data(), size);
}

// The bytes that the peer has compressed; no more than a message may have.
absl::StatusOr<std::string> Decompressed(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > kMessageBytes) return absl::InvalidArgumentError("a compressed message without a size, or too long");
  std::string text(size, '\0');
  const size_t done = ZSTD_decompressDCtx(Decompressor(), text.data(), text.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(done) != 0 || done != size) return absl::InvalidArgumentError("a compressed message is damaged");
  return text;
}

// The first bytes of a message, from as many slices as needed.
std::string FrontOf(const std::vector<grpc::Slice>& slices) {
  std::string front;
  for (const grpc::Slice& slice : slices) {
    const size_t room = MessageHeader::kLongest - front.size();
    front.append(reinterpret_cast<const char*>(slice.begin()), std::min(slice.size(), room));
    if (front.size() == MessageHeader::kLongest) break;
  }
  return front;
}

}  // namespace

void EachSlice(const Frame& frame, absl::FunctionRef<void(grpc::Slice)> add) {
  std::string text = FramePrefix(frame);
  text += frame.head;
  for (const codec::Buffer& buffer : frame.buffers) {
    if (buffer.size <= kCopiedBytes) {
      text.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
      continue;
    }
    if (!text.empty()) add(grpc::Slice(text));
    text.clear();
    add(SliceOf(buffer));
  }
  if (!text.empty()) add(grpc::Slice(text));
}

MessageBytes MessageOf(MessageHeader header, std::vector<grpc::Slice> slices, size_t payload, bool compress,
                       Traffic& traffic) {
  MessageBytes message;
  message.payload = payload;
  const bool worth_it = compress && payload >= kCompressedBytes && GetsShorter(slices);
  if (std::optional<grpc::Slice> shorter = worth_it ? Compressed(slices, payload) : std::nullopt) {
    traffic.compressed_before += payload;
    traffic.compressed_after += shorter->size();
    header.compressed = true;
    const grpc::Slice both[] = {HeaderSlice(header), *std::move(shorter)};
    message.bytes = grpc::ByteBuffer(both, std::size(both));
    message.compressed = true;
    return message;
  }
  slices.insert(slices.begin(), HeaderSlice(header));
  message.bytes = grpc::ByteBuffer(slices.data(), slices.size());
  return message;
}

absl::StatusOr<MessageHeader> HeaderOf(const std::vector<grpc::Slice>& slices, size_t* used) {
  return MessageHeader::Decode(FrontOf(slices), used);
}

absl::Status ReadFrames(const std::vector<grpc::Slice>& slices, size_t skipped, bool compressed, FrameReader& reader,
                        std::vector<Frame>* frames) {
  std::string together;
  for (const grpc::Slice& slice : slices) {
    std::string_view bytes(reinterpret_cast<const char*>(slice.begin()), slice.size());
    const size_t passed = std::min(skipped, bytes.size());
    skipped -= passed;
    bytes.remove_prefix(passed);
    if (compressed) {
      together += bytes;
    } else {
      TWINKLE_RETURN_IF_ERROR(reader.Read(bytes, frames));
    }
  }
  if (!compressed) return absl::OkStatus();
  TWINKLE_ASSIGN_OR_RETURN(const std::string text, Decompressed(together));
  return reader.Read(text, frames);
}

}  // namespace twinkle::rpc
