#include "runtime/rpc/grpc/numbered_frames.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace twinkle::rpc {
namespace {

constexpr uint64_t kManyFrames = 64;
constexpr size_t kManyBytes = 256 << 10;

}  // namespace

void SentFrames::Add(Frame frame) {
  bytes_ += frame.bytes();
  frames_.push_back(std::move(frame));
}

absl::Status SentFrames::Acknowledge(uint64_t number, std::vector<Frame>* freed) {
  if (number > last()) {
    return absl::InvalidArgumentError(absl::StrCat("it acknowledges ", number, " frames of ", last()));
  }
  while (acknowledged_ < number) {  // a late acknowledgement says less than is known
    bytes_ -= frames_.front().bytes();
    freed->push_back(std::move(frames_.front()));
    frames_.pop_front();
    ++acknowledged_;
  }
  return absl::OkStatus();
}

absl::Status ReceivedFrames::Take(uint64_t first, std::vector<Frame>* frames) {
  if (first > last_ + 1) {
    return absl::DataLossError(absl::StrCat("frame ", first, " follows frame ", last_));
  }
  const size_t known = std::min<uint64_t>(frames->size(), last_ + 1 - first);
  frames->erase(frames->begin(), frames->begin() + static_cast<std::ptrdiff_t>(known));
  last_ += frames->size();
  for (const Frame& frame : *frames) bytes_ += frame.bytes();
  return absl::OkStatus();
}

bool ReceivedFrames::is_much() const { return last_ - told_ >= kManyFrames || bytes_ >= kManyBytes; }

void ReceivedFrames::Told() {
  told_ = last_;
  bytes_ = 0;
}

}  // namespace twinkle::rpc
