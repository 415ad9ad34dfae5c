// DeviceMesh: the ranks of a component along named dimensions.
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

// The sizes of a mesh, for DeviceMesh::FromSizes. All sizes count ranks, and are at least 1.
struct MeshSizes {
  // The dimensions, outermost first. An absent dimension is not in the mesh, except dp, which is then of size 1. One of
  // them may be -1 if world_size determines its size.
  std::optional<int> fsdp = std::nullopt;
  std::optional<int> pp = std::nullopt;
  std::optional<int> dp = std::nullopt;
  std::optional<int> cp = std::nullopt;
  std::optional<int> tp = std::nullopt;

  // The product that the dimensions must have. Absent or 1: any.
  std::optional<int> world_size = std::nullopt;

  // Attributes, which are no dimensions. ulysses: the number of ranks that share one data rank; absent or 0 means 1.
  std::optional<int> ulysses = std::nullopt;
  std::optional<int> ep = std::nullopt;
  std::optional<int> etp = std::nullopt;
  std::optional<int> ep_fsdp = std::nullopt;
  std::optional<int> vpp = std::nullopt;
};

// The ranks of a component's devices, arranged along named dimensions. Immutable, so threads may share it. A rank that
// is not in the mesh is no error: it has no coordinates.
class TWINKLE_EXPORT DeviceMesh {
 public:
  static constexpr bool kTwinkleWhole = true;  // as an argument it is never split

  // The most ranks that a mesh may have, wherever it comes from.
  static constexpr int kMaxWorldSize = 1 << 24;

  // The mesh of rank 0 alone: dp = 1.
  DeviceMesh() = default;

  // Makes a mesh of ranks 0, 1, 2, ... in row-major order. InvalidArgument, with the first of these reasons that holds:
  // bad_size (a size that is not positive, a -1 that nothing determines, too many ranks), size_mismatch (with
  // world_size), bad_size (of ep, etp, ep_fsdp, vpp), expert_not_dividing (ep and the world size), ulysses_not_dividing
  // (ulysses and the data ranks).
  static Answer<DeviceMesh> FromSizes(MeshSizes sizes);

  // Makes a mesh of any ranks. `names`: one for each dimension, out of dp, fsdp, tp, pp, cp, ep, ep_fsdp. `ranks`: in
  // row-major order; empty means 0, 1, 2, ... `ulysses`: 0 means 1. InvalidArgument, with a reason: bad_size (as above,
  // or a negative rank), dim_names_missing, dim_names_mismatch, unknown_dim_name, duplicate_dim_name, size_mismatch
  // (the product of the shape is not the number of different ranks), ulysses_not_dividing.
  static Answer<DeviceMesh> FromShape(std::vector<int> shape, std::vector<std::string> names,
                                      std::vector<int> ranks = {}, int ulysses = 1);

  // Checks what FromSizes and FromShape check. A deserialised mesh must pass this before it is used. Costs a few
  // operations, or one sort if the ranks are listed.
  absl::Status Validate() const;

  // The number of ranks; at least 1.
  int world_size() const;
  // The size of each dimension, outermost first, and its name.
  const std::vector<int>& shape() const& { return shape_; }
  std::vector<int> shape() && { return std::move(shape_); }
  const std::vector<std::string>& dim_names() const& { return dim_names_; }
  std::vector<std::string> dim_names() && { return std::move(dim_names_); }
  // All ranks in row-major order ("mesh order").
  std::vector<int> ranks() const;
  // The number of shares into which data is split: dp times fsdp, divided by ulysses.
  int data_world_size() const;

  // The size of a dimension; 0: the mesh does not have it.
  int DimSize(std::string_view name) const;
  // The rank's coordinate in a dimension; nothing: the mesh does not have the dimension or the rank.
  std::optional<int> DimRank(int rank, std::string_view name) const;
  // The share of the data that is the rank's, 0 to data_world_size() - 1; nothing: the rank is not in the mesh.
  std::optional<int> DataRank(int rank) const;
  // The data rank of each of ranks(), in the same order, computed in one pass.
  std::vector<int> DataRanks() const;

  // The rank itself and those that differ from it in tp only, in ascending order. Without tp only `rank`, whether or
  // not it is in the mesh. With tp, empty for a rank that is not in the mesh.
  std::vector<int> TpRanks(int rank) const;
  // The ranks in the first (last) stage of pp, in ascending order; without pp all ranks, in mesh order.
  std::vector<int> PpFirstRanks() const;
  std::vector<int> PpLastRanks() const;
  bool IsPpFirst(int rank) const;
  bool IsPpLast(int rank) const;
  // The ranks that are last in their tp group, in ascending order; without tp all ranks, in mesh order.
  std::vector<int> TpLastRanks() const;
  // The ranks whose results together make a whole: for each data rank the smallest rank in the last stage. In ascending
  // order.
  std::vector<int> CollectRanks() const;

  // The rows [first, second) of `length` rows that belong to a data rank. The sizes of shares differ by one row at
  // most, and the first shares are the larger ones. With one data rank the share is everything, whatever `data_rank`
  // is. InvalidArgument: there is no such data rank, or the length is negative.
  Answer<std::pair<int64_t, int64_t>> Slice(int64_t length, int data_rank) const;

  // The number of consecutive data-parallel ranks that share one data rank; at least 1.
  int ulysses() const { return ulysses_; }
  // Expert parallelism. ep and vpp are absent unless given; etp is then 1; ep_fsdp is world_size() / ep if ep is above
  // 1, otherwise absent.
  std::optional<int> ep() const { return ep_; }
  int etp() const { return etp_.value_or(1); }
  std::optional<int> ep_fsdp() const;
  std::optional<int> vpp() const { return vpp_; }

  // Whether both have the same dimensions, ranks and attributes.
  friend bool operator==(const DeviceMesh&, const DeviceMesh&) = default;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(shape_, dim_names_, ranks_, ulysses_, ep_, etp_, ep_fsdp_, vpp_);
  }

 private:
  // A position is the index of a rank in mesh order. The coordinate in an absent dimension is 0.
  std::optional<int> PositionOf(int rank) const;
  int RankAt(int position) const;
  int CoordinateAt(int position, std::string_view name) const;
  int DataRankAt(int position) const;
  std::vector<int> RanksWhere(std::string_view name, int coordinate) const;

  std::vector<int> shape_ = {1};
  std::vector<std::string> dim_names_ = {"dp"};
  std::vector<int> ranks_;  // empty: 0, 1, 2, ..., which takes no memory and needs no search
  int ulysses_ = 1;
  std::optional<int> ep_, etp_, ep_fsdp_, vpp_;  // as they were given
};

}  // namespace twinkle
