#include "runtime/rpc/frame_stream.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "runtime/base/bytes_text.h"
#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they are in memory");

constexpr size_t kPrefixBytes = sizeof(uint32_t) + sizeof(uint64_t);

template <class T>
void Append(std::string* to, T number) {
  to->append(reinterpret_cast<const char*>(&number), sizeof(number));
}
template <class T>
T NumberAt(const std::string& text, size_t offset) {
  T number;
  std::memcpy(&number, text.data() + offset, sizeof(number));
  return number;
}

}  // namespace

std::string FramePrefix(const Frame& frame) {
  std::string prefix;
  prefix.reserve(kPrefixBytes + frame.buffers.size() * sizeof(uint64_t));
  Append<uint32_t>(&prefix, static_cast<uint32_t>(frame.buffers.size()));
  Append<uint64_t>(&prefix, frame.head.size());
  for (const codec::Buffer& buffer : frame.buffers) Append<uint64_t>(&prefix, buffer.size);
  return prefix;
}

bool FrameReader::Fill(std::string_view* bytes, size_t wanted) {
  const size_t more = std::min(wanted - text_.size(), bytes->size());
  text_.append(bytes->substr(0, more));
  bytes->remove_prefix(more);
  return text_.size() == wanted;
}

absl::Status FrameReader::BeginSizes() {
  buffers_ = NumberAt<uint32_t>(text_, 0);
  head_bytes_ = NumberAt<uint64_t>(text_, sizeof(uint32_t));
  if (buffers_ > limits_.buffers || head_bytes_ > limits_.head_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame with ", buffers_, " buffers and a head of ", head_bytes_, " bytes is beyond the limits"));
  }
  text_.clear();
  part_ = Part::kSizes;
  return absl::OkStatus();
}

absl::Status FrameReader::BeginHead() {
  uint64_t total = 0;
  sizes_.clear();
  for (uint32_t i = 0; i < buffers_; ++i) {
    sizes_.push_back(NumberAt<uint64_t>(text_, i * sizeof(uint64_t)));
    if (sizes_.back() > limits_.total_bytes - total) {
      return absl::InvalidArgumentError(
          absl::StrCat("a frame with more than ", limits_.total_bytes, " bytes of buffers is beyond the limits"));
    }
    total += sizes_.back();
  }
  text_.clear();
  part_ = Part::kHead;
  return absl::OkStatus();
}

void FrameReader::BeginBuffer() {
  const uint64_t size = sizes_[frame_.buffers.size()];
  memory_ = base::GrowingMemory::Of(size);
  filling_ = true;
  filled_ = 0;
  frame_.buffers.push_back({memory_.memory().get(), size, memory_.memory()});
}

bool FrameReader::FillBuffer(std::string_view* bytes) {
  codec::Buffer& buffer = frame_.buffers.back();
  const uint64_t more = std::min<uint64_t>(buffer.size - filled_, bytes->size());
  std::byte* const to = memory_.memory().get();
  if (to != nullptr && memory_.Reach(filled_ + more)) {
    if (more > 0) std::memcpy(to + filled_, bytes->data(), more);
  } else if (buffer.data != nullptr || filled_ == 0) {
    memory_ = {};
    buffer = codec::Missing(
        buffer.size, absl::ResourceExhaustedError(absl::StrCat("there is no memory for a value of ",
                                                               base::BytesText(buffer.size), " that comes here")));
  }
  filled_ += more;
  bytes->remove_prefix(more);
  return filled_ == buffer.size;
}

absl::Status FrameReader::Read(std::string_view bytes, std::vector<Frame>* frames) {
  while (true) {
    switch (part_) {
      case Part::kPrefix:
        if (!Fill(&bytes, kPrefixBytes)) return absl::OkStatus();
        TWINKLE_RETURN_IF_ERROR(BeginSizes());
        break;
      case Part::kSizes:
        if (!Fill(&bytes, buffers_ * sizeof(uint64_t))) return absl::OkStatus();
        TWINKLE_RETURN_IF_ERROR(BeginHead());
        break;
      case Part::kHead:
        if (!Fill(&bytes, head_bytes_)) return absl::OkStatus();
        frame_.head = std::exchange(text_, {});
        part_ = Part::kBuffers;
        break;
      case Part::kBuffers:
        if (filling_) {
          if (!FillBuffer(&bytes)) return absl::OkStatus();
          filling_ = false;
          memory_ = {};
        }
        if (frame_.buffers.size() < buffers_) {
          BeginBuffer();
          break;
        }
        frames->push_back(std::exchange(frame_, {}));
        part_ = Part::kPrefix;
        break;
    }
  }
}

}  // namespace twinkle::rpc
