#include "runtime/codec/check_rows.h"

#include <absl/container/inlined_vector.h>

#include <algorithm>

namespace twinkle::codec {
namespace {

// Whether a node's kind, rows and children fit each other.
bool IsNode(const RowNode& node) {
  switch (node.kind) {
    case RowNode::Kind::kWhole:
      return node.rows == -1 && node.children == 0;
    case RowNode::Kind::kList:
    case RowNode::Kind::kTensor:
      return node.rows >= 0 && node.rows <= kMostRows && node.children == 0;
    case RowNode::Kind::kTree:
      return node.rows == -1;
  }
  return false;
}

}  // namespace

absl::Status CheckRows(const Rows& rows) {
  const size_t most_depth = static_cast<size_t>(Limits().depth);
  absl::InlinedVector<uint32_t, 8> missing = {1};  // nodes still to come, for each level down to the current one
  for (const RowNode& node : rows) {
    while (!missing.empty() && missing.back() == 0) missing.pop_back();
    if (missing.empty()) return absl::InvalidArgumentError("a tree of rows with nodes left over");
    if (!IsNode(node)) return absl::InvalidArgumentError("a tree of rows with a node of no kind");
    if (missing.size() > most_depth) return absl::InvalidArgumentError("a tree of rows that is too deep");
    --missing.back();
    if (node.children > 0) missing.push_back(node.children);
  }
  const bool complete = std::all_of(missing.begin(), missing.end(), [](uint32_t level) { return level == 0; });
  return complete ? absl::OkStatus() : absl::InvalidArgumentError("a tree of rows that ends early");
}

absl::Status CheckRanges(std::span<const Range> ranges) {
  const bool fine = std::all_of(ranges.begin(), ranges.end(), [](const Range& range) {
    return range.begin >= 0 && range.begin <= range.end && range.end <= kMostRows;
  });
  return fine ? absl::OkStatus() : absl::InvalidArgumentError("a range of rows that ends before it begins");
}

}  // namespace twinkle::codec
