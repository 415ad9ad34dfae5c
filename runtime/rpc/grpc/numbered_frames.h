// Numbered frames of a stream, which survive the connection that carries them.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// Frames that a process has sent on a stream, kept until the peer has acknowledged them. They are numbered from 1;
// large buffers are referred to. For one thread at a time.
class SentFrames {
 public:
  // Adds a frame, which gets the next number.
  void Add(Frame frame);
  // The peer has the frames up to `number`: these are moved to `freed`. InvalidArgument: that many were never sent.
  absl::Status Acknowledge(uint64_t number, std::vector<Frame>* freed);
  // The number of frames that the peer is known to have.
  uint64_t acknowledged() const { return acknowledged_; }
  // The number of the last frame.
  uint64_t last() const { return acknowledged_ + frames_.size(); }
  // A frame by its number. REQUIRES: acknowledged() < number <= last().
  const Frame& At(uint64_t number) const { return frames_[number - acknowledged_ - 1]; }
  // The bytes of all frames that are kept.
  size_t bytes() const { return bytes_; }

 private:
  std::deque<Frame> frames_;  // the first has the number acknowledged_ + 1
  uint64_t acknowledged_ = 0;
  size_t bytes_ = 0;
};

// The count of frames that have come from the peer. For one thread at a time.
class ReceivedFrames {
 public:
  // Counts frames that have come, numbered from `first` on, and removes from `frames` those that had come before.
  // DataLoss: some in between never came.
  absl::Status Take(uint64_t first, std::vector<Frame>* frames);
  // The number of frames that have come.
  uint64_t last() const { return last_; }
  // Whether so much has come since the last Told that the peer should be told at once, so that it can let go of its
  // frames.
  bool is_much() const;
  // The peer is being told of all frames so far.
  void Told();

 private:
  uint64_t last_ = 0;
  uint64_t told_ = 0;
  size_t bytes_ = 0;  // bytes since the last Told
};

}  // namespace twinkle::rpc
