// Shares: how many rows, or workers, each of several parts gets.
#pragma once

#include <algorithm>
#include <cstdint>

namespace twinkle::mesh {

// A half-open range: [begin, end).
struct Range {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

// The share of part `index` when `length` items are dealt in order to `parts` parts. The sizes of shares differ by one
// at most, and the first parts get the larger shares. Together the shares are a partition of [0, length). REQUIRES:
// length >= 0, 0 <= index < parts.
constexpr Range Share(int64_t length, int parts, int index) {
  const int64_t quotient = length / parts;
  const int64_t remainder = length % parts;
  const auto start = [=](int64_t i) { return i * quotient + std::min(i, remainder); };
  return {start(index), start(index + int64_t{1})};
}

// The workers on which a call under Execute::kPeer runs, if its caller has rank `caller_rank` of `caller_world`: the
// caller's share of the workers, or one worker in turn if there are fewer workers than callers. The program is rank 0
// of 1, so its calls run on all. REQUIRES: workers >= 1, 0 <= caller_rank < caller_world.
constexpr Range PeerShare(int workers, int caller_rank, int caller_world) {
  if (workers >= caller_world) return Share(workers, caller_world, caller_rank);
  const int worker = caller_rank % workers;
  return {worker, worker + 1};
}

}  // namespace twinkle::mesh
