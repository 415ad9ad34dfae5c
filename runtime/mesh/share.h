// How many rows, or workers, each of several takers gets.
#pragma once

#include <algorithm>
#include <cstdint>

namespace twinkle::mesh {

// Half-open: [begin, end).
struct Range {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

// The share of taker `index` when `length` things are dealt in order to `parts` takers: sizes
// differ by one at most and the lower takers get the longer ones. The shares of all partition [0,
// length). REQUIRES: length >= 0, 0 <= index < parts.
constexpr Range Share(int64_t length, int parts, int index) {
  const int64_t quotient = length / parts;
  const int64_t remainder = length % parts;
  const auto start = [=](int64_t i) { return i * quotient + std::min(i, remainder); };
  return {start(index), start(index + int64_t{1})};
}

// The workers that a caller of rank `caller_rank` out of `caller_world` runs under Execute::kPeer:
// its share, or one worker in turn where there are fewer workers than callers. The program is rank
// 0 of 1 and so runs all. REQUIRES: workers >= 1, 0 <= caller_rank < caller_world.
constexpr Range PeerShare(int workers, int caller_rank, int caller_world) {
  if (workers >= caller_world) return Share(workers, caller_world, caller_rank);
  const int worker = caller_rank % workers;
  return {worker, worker + 1};
}

}  // namespace twinkle::mesh
