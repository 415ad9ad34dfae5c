// PerRank: an argument with a value for each rank.
#pragma once

#include <utility>
#include <vector>

namespace twinkle {

// Accepted for any parameter: element i goes to rank i. It needs one element for each rank on which the call runs;
// otherwise the call fails with InvalidArgument.
template <class P>
class PerRank {
 public:
  explicit PerRank(std::vector<P> elements) : elements_(std::move(elements)) {}
  const std::vector<P>& elements() const& { return elements_; }
  std::vector<P> elements() && { return std::move(elements_); }

 private:
  std::vector<P> elements_;
};
template <class P>
PerRank(std::vector<P>) -> PerRank<P>;

}  // namespace twinkle
