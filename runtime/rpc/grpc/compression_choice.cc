#include "runtime/rpc/grpc/compression_choice.h"

#include <algorithm>
#include <utility>

namespace twinkle::rpc {
namespace {

constexpr size_t kTrialBytes = 16 << 20;  // of a phase that measures; more than sockets buffer
constexpr size_t kFirstStay = 64 << 20;   // short: the first transfers go into memory that nobody has touched
constexpr size_t kLongestStay = size_t{16} << 30;
constexpr double kAlike = 1.05;  // the other way must be better by this factor to be worth the processor's time
constexpr double kFast = 0.8e9;  // bytes/s; zstd's fastest levels compress 0.3 to 0.7 GB/s on a core

}  // namespace

bool CompressionChoice::consider() const {
  if (wish_ != Compression::kAuto) return wish_ == Compression::kZstd;
  return rate_[kPlain] > 0 && rate_[kPlain] < kFast;
}

void CompressionChoice::BeginPhase(Way way, size_t bytes) {
  way_ = way;
  length_ = bytes;
  sent_ = 0;
  counted_bytes_ = 0;
  counted_time_ = absl::ZeroDuration();
  anyway_bytes_ = 0;
  anyway_time_ = absl::ZeroDuration();
}

void CompressionChoice::OnSent(size_t bytes, bool compressed, absl::Duration took) {
  if (wish_ != Compression::kAuto) return;
  if (length_ == 0) BeginPhase(kPlain, kTrialBytes);
  if (!compressed && way_ == kZstd) return OnSentPlainAnyway(bytes, took);
  if (compressed && way_ == kPlain) return;  // the message was made ready in the phase before
  sent_ += bytes;
  if (sent_ > length_ / 2) {
    counted_bytes_ += bytes;
    counted_time_ += took;
  }
  if (sent_ >= length_) EndPhase();
}

// Counts a plain message in a compressed phase. If many are plain on a link that turned out to be fast, the phase ends;
// otherwise it never would, and each message would be looked at in vain.
void CompressionChoice::OnSentPlainAnyway(size_t bytes, absl::Duration took) {
  anyway_bytes_ += bytes;
  anyway_time_ += took;
  if (anyway_bytes_ < kTrialBytes) return;
  rate_[kPlain] = static_cast<double>(std::exchange(anyway_bytes_, 0)) /
                  std::max(1e-9, absl::ToDoubleSeconds(std::exchange(anyway_time_, absl::ZeroDuration())));
  if (rate_[kPlain] >= kFast) BeginPhase(kPlain, kTrialBytes);
}

void CompressionChoice::EndPhase() {
  rate_[way_] = static_cast<double>(counted_bytes_) / std::max(1e-9, absl::ToDoubleSeconds(counted_time_));
  const bool was_trial = length_ == kTrialBytes;
  const Way other = way_ == kPlain ? kZstd : kPlain;
  if (way_ == kPlain && rate_[kPlain] >= kFast) return BeginPhase(kPlain, kTrialBytes);
  if (!was_trial || rate_[other] == 0) return BeginPhase(other, kTrialBytes);
  const Way better = rate_[kZstd] > kAlike * rate_[kPlain] ? kZstd : kPlain;
  stay_ = better == way_ || stay_ == 0 ? kFirstStay : std::min(2 * stay_, kLongestStay);
  BeginPhase(better, stay_);
}

}  // namespace twinkle::rpc
