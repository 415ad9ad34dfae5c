// TensorShard: which part of a tensor a rank has.
#pragma once

#include <absl/status/status.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace twinkle {

// Indices [begin, end) along one dimension.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

// A part of a tensor: a range along each of its dimensions. A scalar's has none, and is its one element.
using Box = std::vector<Range>;

// How a dimension whose size the ranks do not divide is dealt to them.
enum class Split : uint8_t {
  kEven,    // sizes differ by one at most, and the first are the larger ones
  kChunks,  // as torch.chunk does: all are of the size of the first, rounded up; the last ones are smaller, or empty
};

// One dimension of a tensor, dealt along one dimension of a mesh.
struct ShardDim {
  int dim = 0;        // of the tensor
  std::string along;  // of the mesh
  Split split = Split::kEven;
  int copies =
      1;  // so many neighbours along the mesh have the same part: key heads, of which there are fewer than ranks
};

// Which part of a tensor a rank of a mesh has, whatever the tensor's shape. Immutable. A wrong one is no failure by
// itself: whoever uses it is told its status().
class TWINKLE_EXPORT TensorShard {
 public:
  // All of it: every rank has the whole tensor.
  TensorShard() = default;

  // The part of `rank`. Along dimensions of the mesh that are not named all ranks have the same. A dimension of the
  // tensor that is named twice is dealt twice: first to the ranks along the first, then each part along the second.
  //   TensorShard::Of(mesh, rank, {{0, "tp"}})                    by rows
  //   TensorShard::Of(mesh, rank, {{1, "tp"}, {0, "fsdp"}})       by columns, and each of these by rows
  //   TensorShard::Of(mesh, rank, {{0, "ep"}, {1, "etp"}})        experts, stacked along the first dimension
  // `along` is a dimension of the mesh; or one of the experts' (ep, etp, ep_fsdp) of a mesh that has them as sizes
  // only: then the ranks of a pipeline stage, in mesh order, count etp fastest, then ep, then ep_fsdp.
  // status(): InvalidArgument: the mesh has no such rank or dimension, the experts' sizes do not divide its stage, a
  // dimension is negative, or copies do not divide the mesh's size.
  static TensorShard Of(const DeviceMesh& mesh, int rank, std::vector<ShardDim> dims);

  const absl::Status& status() const& { return status_; }
  absl::Status status() && { return std::move(status_); }

  // The part of a tensor of that shape. REQUIRES: status() is OK, and all dims are the shape's.
  Box BoxOf(const std::vector<int64_t>& shape) const;
  // The shape of a tensor of which this rank has so much, if all ranks have as much as this one. REQUIRES as BoxOf.
  std::vector<int64_t> WholeOf(std::vector<int64_t> shape) const;

  const DeviceMesh& mesh() const { return mesh_; }
  int rank() const { return rank_; }
  const std::vector<ShardDim>& dims() const& { return dims_; }
  std::vector<ShardDim> dims() && { return std::move(dims_); }

 private:
  // One of so many parts.
  struct Share {
    int parts = 1;
    int index = 0;
  };

  DeviceMesh mesh_;
  int rank_ = 0;
  std::vector<ShardDim> dims_;
  std::vector<Share> shares_;  // of each of dims_: worked out once
  absl::Status status_;
};

}  // namespace twinkle
