// RangeCursor: hands out the ranges of rows that Encode and Slice are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// A cursor over ranges, one for each list and tensor of a value. `ranges` must outlive it. For one thread at a time.
class RangeCursor {
 public:
  explicit RangeCursor(const std::vector<Range>& ranges) : ranges_(ranges) {}

  // Takes the next range, for a list or tensor of `rows` rows. Returns what is wrong with it, and leaves `range` as it
  // is; null: nothing.
  const char* Next(int64_t rows, Range* range) {
    if (next_ >= ranges_.size()) return "fewer ranges than lists and tensors";
    const Range given = ranges_[next_++];
    if (given.begin < 0 || given.begin > given.end || given.end > rows) return "a range outside the value";
    *range = given;
    return nullptr;
  }
  // Returns what is wrong if no list or tensor follows; null: nothing.
  const char* End() const { return next_ == ranges_.size() ? nullptr : "more ranges than lists and tensors"; }

 private:
  const std::vector<Range>& ranges_;
  size_t next_ = 0;
};

}  // namespace twinkle::codec
