#include "runtime/object/row_plan.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>

namespace twinkle::object {
namespace {

using codec::Range;
using codec::RowNode;
using codec::Rows;

// Names the nodes of a tree by the way to them, in preorder: dicts may list their entries in any order.
class Paths {
 public:
  explicit Paths(const Rows& rows) : rows_(rows) { Walk(""); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  void Walk(const std::string& path) {
    const RowNode& node = rows_[next_++];
    names_.push_back(path);
    for (uint32_t i = 0; i < node.children; ++i) {
      const std::string& key = rows_[next_].key;
      Walk(key.empty() ? absl::StrCat(path, "/", i) : absl::StrCat(path, "/", key.size(), ":", key));
    }
  }
  const Rows& rows_;
  size_t next_ = 0;
  std::vector<std::string> names_;
};

// path -> rows and position among the leaves
struct Leaf {
  RowNode::Kind kind;
  int64_t rows;
  size_t index;
};
using Leaves = absl::flat_hash_map<std::string, Leaf>;

Leaves LeavesOf(const Rows& rows) {
  Leaves leaves;
  const Paths paths(rows);
  size_t index = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].rows >= 0) leaves[paths.names()[i]] = {rows[i].kind, rows[i].rows, index++};
  }
  return leaves;
}

std::vector<Piece> WholePieces(size_t begin, size_t end) {
  std::vector<Piece> pieces;
  for (; begin < end; ++begin) pieces.push_back({begin, std::nullopt});
  return pieces;
}

std::vector<Piece> ConcatPieces(const std::vector<Rows>& shards, const std::vector<Range>& wanted) {
  const std::vector<std::string> paths = [&] {
    std::vector<std::string> leaves;
    const Paths all(shards[0]);
    for (size_t i = 0; i < shards[0].size(); ++i) {
      if (shards[0][i].rows >= 0) leaves.push_back(all.names()[i]);
    }
    return leaves;
  }();
  std::vector<int64_t> done(paths.size(), 0);  // rows of earlier shards
  std::vector<Piece> pieces;
  for (size_t shard = 0; shard < shards.size(); ++shard) {
    const Leaves leaves = LeavesOf(shards[shard]);
    std::vector<Range> ranges(paths.size());
    bool needed = false;
    for (size_t leaf = 0; leaf < paths.size(); ++leaf) {
      const Leaf& here = leaves.at(paths[leaf]);
      const int64_t begin = std::clamp<int64_t>(wanted[leaf].begin - done[leaf], 0, here.rows);
      const int64_t end = std::clamp<int64_t>(wanted[leaf].end - done[leaf], begin, here.rows);
      ranges[here.index] = {begin, end};
      // An empty part of a tensor still says its dtype and inner shape.
      needed |= begin < end || here.kind == RowNode::Kind::kTensor;
      done[leaf] += here.rows;
    }
    if (needed || (pieces.empty() && shard + 1 == shards.size())) pieces.push_back({shard, std::move(ranges)});
  }
  return pieces;
}

}  // namespace

bool CanConcat(const std::vector<Rows>& shards) {
  const Leaves first = LeavesOf(shards[0]);
  for (const Rows& rows : shards) {
    const bool all_split =
        std::none_of(rows.begin(), rows.end(), [](const RowNode& node) { return node.kind == RowNode::Kind::kWhole; });
    const Leaves leaves = LeavesOf(rows);
    if (!all_split || leaves.size() != first.size() || rows.size() != shards[0].size()) return false;
    for (const auto& [path, leaf] : leaves) {
      const auto other = first.find(path);
      if (other == first.end() || other->second.kind != leaf.kind) return false;
    }
  }
  return true;
}

std::optional<Join> JoinOf(Collect rule, bool padded, bool dynamic, const std::vector<Rows>& shards) {
  if (shards.empty()) return std::nullopt;
  const std::optional<Join> join = dispatch::RuleOf(rule).join;
  if (!join) return std::nullopt;
  bool known = true;
  switch (*join) {
    case Join::kSingle:  // a Value may turn out to be a tuple, which every rule takes apart
      known = !dynamic || shards[0][0].kind != RowNode::Kind::kWhole;
      break;
    case Join::kList:
      known = !dynamic;
      break;
    case Join::kConcat:
      known = !padded && CanConcat(shards);
  }
  return known ? join : std::nullopt;
}

Rows JoinedRows(Join join, const std::vector<Rows>& shards) {
  if (join == Join::kList) {
    return {RowNode{.kind = RowNode::Kind::kList, .key = {}, .rows = static_cast<int64_t>(shards.size())}};
  }
  Rows joined = shards[0];
  if (join == Join::kSingle) return joined;
  const Paths paths(joined);
  for (size_t shard = 1; shard < shards.size(); ++shard) {
    const Leaves leaves = LeavesOf(shards[shard]);
    for (size_t i = 0; i < joined.size(); ++i) {
      if (joined[i].rows >= 0) joined[i].rows += leaves.at(paths.names()[i]).rows;
    }
  }
  return joined;
}

std::vector<Piece> PiecesOf(Join join, const std::vector<Rows>& shards, const dispatch::Part& part) {
  if (part.whole) return WholePieces(0, shards.size());
  switch (join) {
    case Join::kList: {
      const Range range = part.ranges.at(0);
      return WholePieces(static_cast<size_t>(range.begin), static_cast<size_t>(range.end));
    }
    case Join::kSingle:
      return {Piece{0, part.ranges}};
    case Join::kConcat:
      break;
  }
  return ConcatPieces(shards, part.ranges);
}

}  // namespace twinkle::object
