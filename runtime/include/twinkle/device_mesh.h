// A device mesh: the ranks of a component along named dimensions, and the questions asked of it.
#pragma once

#include <absl/status/status.h>
#include <twinkle/answer.h>
#include <twinkle/internal/export.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twinkle {

// What DeviceMesh::FromSizes is given. All sizes count ranks and are at least 1.
struct MeshSizes {
  // Dimensions, outermost first. An absent one is no dimension of the mesh, but dp is always there,
  // of size 1 when absent. One of them may be -1 when world_size says how large it has to be.
  std::optional<int> fsdp = std::nullopt;
  std::optional<int> pp = std::nullopt;
  std::optional<int> dp = std::nullopt;
  std::optional<int> cp = std::nullopt;
  std::optional<int> tp = std::nullopt;

  // The product that the dimensions must have; absent or 1: whatever it is.
  std::optional<int> world_size = std::nullopt;

  // Attributes, never dimensions. Absent or 0 ulysses is 1: the ranks that share one data rank.
  std::optional<int> ulysses = std::nullopt;
  std::optional<int> ep = std::nullopt;
  std::optional<int> etp = std::nullopt;
  std::optional<int> ep_fsdp = std::nullopt;
  std::optional<int> vpp = std::nullopt;
};

// Never changes once made, so threads may share it. Ranks are those of the component's devices; a
// rank that is not in the mesh is no error: it has no coordinates.
class TWINKLE_EXPORT DeviceMesh {
 public:
  static constexpr bool kTwinkleWhole = true;  // as an argument it is split nowhere

  // More ranks than this are refused, wherever the mesh comes from.
  static constexpr int kMaxWorldSize = 1 << 24;

  // The mesh of rank 0 alone: dp = 1.
  DeviceMesh() = default;

  // Ranks are 0, 1, 2, ... in row-major order. InvalidArgument, by reason, the first that holds:
  // bad_size (a size that is not positive, a -1 that nothing settles, too many ranks),
  // size_mismatch (with world_size), bad_size (of ep, etp, ep_fsdp, vpp), expert_not_dividing (ep
  // and the world size), ulysses_not_dividing (ulysses and the data ranks).
  static Answer<DeviceMesh> FromSizes(MeshSizes sizes);

  // `names`, one for each dimension, are out of dp, fsdp, tp, pp, cp, ep, ep_fsdp. `ranks` are in
  // row-major order; empty means 0, 1, 2, ... `ulysses` of 0 is 1. InvalidArgument, by reason:
  // bad_size (as above, or a negative rank), dim_names_missing, dim_names_mismatch,
  // unknown_dim_name, duplicate_dim_name, size_mismatch (the product of the shape is not the number
  // of different ranks), ulysses_not_dividing.
  static Answer<DeviceMesh> FromShape(std::vector<int> shape, std::vector<std::string> names,
                                      std::vector<int> ranks = {}, int ulysses = 1);

  // What both of the above check. A mesh that was deserialised must pass this before it is asked
  // anything else; a few operations, or one sort where the ranks are listed.
  absl::Status Validate() const;

  // How many ranks there are; at least 1.
  int world_size() const;
  // The size of each dimension, outermost first, and its name.
  const std::vector<int>& shape() const& { return shape_; }
  std::vector<int> shape() && { return std::move(shape_); }
  const std::vector<std::string>& dim_names() const& { return dim_names_; }
  std::vector<std::string> dim_names() && { return std::move(dim_names_); }
  // All ranks in row-major order ("mesh order").
  std::vector<int> ranks() const;
  // How many shares data is split into: dp times fsdp, divided by ulysses.
  int data_world_size() const;

  // The size of a dimension; 0 when the mesh does not have it.
  int DimSize(std::string_view name) const;
  // The rank's coordinate; nothing for a dimension or rank that the mesh does not have.
  std::optional<int> DimRank(int rank, std::string_view name) const;
  // Which share of the data is the rank's, 0 to data_world_size() - 1; nothing outside the mesh.
  std::optional<int> DataRank(int rank) const;
  // The data rank of each of ranks(), in the same order: one pass for all.
  std::vector<int> DataRanks() const;

  // The ranks that differ from `rank` in tp only, and itself, ascending. Without tp `rank` alone,
  // be it in the mesh or not; with tp empty for a rank outside the mesh.
  std::vector<int> TpRanks(int rank) const;
  // The first and last stage of pp, ascending; without pp all ranks in mesh order.
  std::vector<int> PpFirstRanks() const;
  std::vector<int> PpLastRanks() const;
  bool IsPpFirst(int rank) const;
  bool IsPpLast(int rank) const;
  // The ranks that are last in their tp group, ascending; without tp all ranks in mesh order.
  std::vector<int> TpLastRanks() const;
  // Whose results make a whole: of each data rank the smallest rank in the last stage; ascending.
  std::vector<int> CollectRanks() const;

  // The rows [first, second) of `length` that are the data rank's: shares differ by one row at
  // most, the longer ones come first. With one data rank it is everything, whatever `data_rank`.
  // InvalidArgument for a data rank that does not exist or a negative length.
  Answer<std::pair<int64_t, int64_t>> Slice(int64_t length, int data_rank) const;

  // How many consecutive data-parallel ranks share one data rank; at least 1.
  int ulysses() const { return ulysses_; }
  // Expert parallelism: ep and vpp are absent unless given, etp is 1 then, and ep_fsdp is
  // world_size() / ep when ep is above 1, else absent.
  std::optional<int> ep() const { return ep_; }
  int etp() const { return etp_.value_or(1); }
  std::optional<int> ep_fsdp() const;
  std::optional<int> vpp() const { return vpp_; }

  // Whether both were described alike: same dimensions, ranks and attributes.
  friend bool operator==(const DeviceMesh&, const DeviceMesh&) = default;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(shape_, dim_names_, ranks_, ulysses_, ep_, etp_, ep_fsdp_, vpp_);
  }

 private:
  // A position counts the ranks in mesh order; coordinates are 0 for an absent dimension.
  std::optional<int> PositionOf(int rank) const;
  int RankAt(int position) const;
  int CoordinateAt(int position, std::string_view name) const;
  int DataRankAt(int position) const;
  std::vector<int> RanksWhere(std::string_view name, int coordinate) const;

  std::vector<int> shape_ = {1};
  std::vector<std::string> dim_names_ = {"dp"};
  std::vector<int> ranks_;  // empty: 0, 1, 2, ..., which then costs nothing and is found at once
  int ulysses_ = 1;
  std::optional<int> ep_, etp_, ep_fsdp_, vpp_;  // as given
};

}  // namespace twinkle
