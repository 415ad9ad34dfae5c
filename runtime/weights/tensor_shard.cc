#include <absl/strings/str_cat.h>
#include <twinkle/tensor_shard.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/mesh/share.h"
#include "runtime/weights/box.h"

namespace twinkle {
namespace {

struct Coordinate {
  int size = 1;
  int index = 0;
};

// The number of a rank within its pipeline stage, and how many there are, in mesh order.
Coordinate InStage(const DeviceMesh& mesh, int rank) {
  Coordinate at;
  for (size_t i = 0; i < mesh.shape().size(); ++i) {
    const std::string& name = mesh.dim_names()[i];
    if (name == "pp") continue;
    at.size *= mesh.shape()[i];
    at.index = at.index * mesh.shape()[i] + *mesh.DimRank(rank, name);
  }
  return at;
}

// Along a dimension of the experts, of a mesh that has them as sizes.
absl::StatusOr<Coordinate> ExpertCoordinate(const DeviceMesh& mesh, int rank, const std::string& along) {
  const Coordinate stage = InStage(mesh, rank);
  const int ep = mesh.ep().value_or(1);
  const int etp = mesh.etp();
  if (stage.size % (int64_t{ep} * etp) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ep ", ep, " times etp ", etp, " does not divide the ", stage.size, " ranks of a pipeline stage"));
  }
  if (along == "etp") return Coordinate{etp, stage.index % etp};
  if (along == "ep") return Coordinate{ep, stage.index / etp % ep};
  return Coordinate{stage.size / (ep * etp), stage.index / (ep * etp)};
}

absl::StatusOr<Coordinate> CoordinateOf(const DeviceMesh& mesh, int rank, const std::string& along) {
  if (const int size = mesh.DimSize(along); size > 0) return Coordinate{size, *mesh.DimRank(rank, along)};
  const bool of_experts = along == "ep" || along == "etp" || along == "ep_fsdp";
  if (of_experts && mesh.ep()) return ExpertCoordinate(mesh, rank, along);
  return absl::InvalidArgumentError(absl::StrCat("the mesh has no dimension '", along, "'"));
}

Range Dealt(const Range& range, int parts, int index, Split split) {
  const int64_t length = range.size();
  mesh::Range share = mesh::Share(length, parts, index);
  if (split == Split::kChunks) {
    const int64_t chunk = (length + parts - 1) / parts;
    share = {std::min(chunk * index, length), std::min(chunk * (index + int64_t{1}), length)};
  }
  return {range.begin + share.begin, range.begin + share.end};
}

}  // namespace

TensorShard TensorShard::Of(const DeviceMesh& mesh, int rank, std::vector<ShardDim> dims) {
  TensorShard shard;
  shard.mesh_ = mesh;
  shard.rank_ = rank;
  shard.dims_ = std::move(dims);
  if (!mesh.DataRank(rank)) {
    shard.status_ = absl::InvalidArgumentError(absl::StrCat("the mesh has no rank ", rank));
    return shard;
  }
  for (const ShardDim& dim : shard.dims_) {
    const absl::StatusOr<Coordinate> at = CoordinateOf(mesh, rank, dim.along);
    if (!at.ok()) {
      shard.status_ = at.status();
    } else if (dim.dim < 0 || dim.copies < 1 || at->size % dim.copies != 0) {
      shard.status_ = absl::InvalidArgumentError(
          absl::StrCat("a shard's dimension ", dim.dim, " along ", dim.along, " in ", dim.copies,
                       " copies: dimensions are 0 or more, and copies divide the mesh's size, ", at->size));
    }
    if (!shard.status_.ok()) return shard;
    shard.shares_.push_back({at->size / dim.copies, at->index / dim.copies});
  }
  return shard;
}

Box TensorShard::BoxOf(const std::vector<int64_t>& shape) const {
  Box box = weights::Whole(shape);
  for (size_t i = 0; i < dims_.size(); ++i) {
    Range& range = box[static_cast<size_t>(dims_[i].dim)];
    range = Dealt(range, shares_[i].parts, shares_[i].index, dims_[i].split);
  }
  return box;
}

std::vector<int64_t> TensorShard::WholeOf(std::vector<int64_t> shape) const {
  for (size_t i = 0; i < dims_.size(); ++i) shape[static_cast<size_t>(dims_[i].dim)] *= shares_[i].parts;
  return shape;
}

}  // namespace twinkle
