// Frames of a stream that outlive the connection that carries them.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// What a process has sent on a stream and the peer has not acknowledged. The frames are numbered from 1; large parts
// are referred to. Not thread-safe.
class SentFrames {
 public:
  // Gets the next number.
  void Add(Frame frame);
  // The peer has all up to that number; they are moved to `freed`. InvalidArgument: they were never sent.
  absl::Status Acknowledge(uint64_t number, std::vector<Frame>* freed);
  // How many the peer is known to have.
  uint64_t acknowledged() const { return acknowledged_; }
  // The number of the last; those up to it that are not acknowledged are kept.
  uint64_t last() const { return acknowledged_ + frames_.size(); }
  const Frame& At(uint64_t number) const { return frames_[number - acknowledged_ - 1]; }
  size_t bytes() const { return bytes_; }

 private:
  std::deque<Frame> frames_;  // the first has the number acknowledged_ + 1
  uint64_t acknowledged_ = 0;
  size_t bytes_ = 0;
};

// What has come from the peer. Not thread-safe.
class ReceivedFrames {
 public:
  // Takes from `frames`, numbered from `first` on, those that had come before. DataLoss: some in between never came.
  absl::Status Take(uint64_t first, std::vector<Frame>* frames);
  // How many have come.
  uint64_t last() const { return last_; }
  // Whether so much has come since the last Told that the peer should hear of it at once, so that it can let go.
  bool is_much() const;
  // The peer is being told of all there are.
  void Told();

 private:
  uint64_t last_ = 0;
  uint64_t told_ = 0;
  size_t bytes_ = 0;  // since then
};

}  // namespace twinkle::rpc
