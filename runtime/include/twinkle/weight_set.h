// WeightSet: the weights of a rank, for SyncWeights.
#pragma once

#include <absl/status/status.h>
#include <twinkle/internal/export.h>
#include <twinkle/tensor.h>
#include <twinkle/tensor_shard.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace twinkle {

// A part of a storage, and the part of a tensor that lies there. The tensor is one of the whole model, whose parts lie
// on several ranks; a storage is a Tensor of this rank.
struct Piece {
  std::string tensor = {};          // its name; empty: that of the storage
  std::vector<int64_t> shape = {};  // of the whole tensor
  TensorShard shard = {};           // what of it this rank has
  Box part = {};                    // what of that lies here; indices count within the shard; empty: all of it
  Box storage = {};                 // where; empty: in all of the storage
  std::vector<int> axes = {};       // the storage's dimension i is the tensor's axes[i]; empty: they are in order
};

// What of a tensor lies in memory as a run of its elements in row-major order (a flat buffer): the pieces of elements
// [elements.begin, elements.end) of a tensor of that shape, which lie in a storage of one dimension from `at` on. At
// most two for each dimension. REQUIRES: 0 <= begin <= end <= the elements of the shape.
TWINKLE_EXPORT std::vector<Piece> FlatPieces(const std::string& tensor, const std::vector<int64_t>& shape,
                                             Range elements, int64_t at);

// The weights of a rank by name: which part of which tensor is where in this rank's memory. What a class gives that
// takes part in SyncWeights, of either side:
//   WeightSet Weights() {
//     WeightSet set;
//     set.Add("norm", norm_);                                              // the same on all ranks
//     set.Add("out_proj", out_, TensorShard::Of(mesh, rank, {{1, "tp"}}));  // by columns
//     set.Add("gate_up", both_, {{.tensor = "gate", .shape = {h, d}, .shard = rows, .storage = {{0, n}, {0, d}}},
//                                {.tensor = "up", .shape = {h, d}, .shard = rows, .storage = {{n, 2 * n}, {0, d}}}});
//     return set;
//   }
// It shares the memory of the tensors. Of a receiver's set that memory is written, whoever shares it. Make a set for
// each sync and keep none: mutable_data() copies what a set still shares. Not thread-safe.
class TWINKLE_EXPORT WeightSet {
 public:
  // A tensor that is whole on each rank that adds it.
  void Add(std::string name, Tensor tensor);
  // This rank's shard of a tensor. `shape`: of the whole; without it all ranks have as much as this one.
  void Add(std::string name, Tensor tensor, const TensorShard& shard, std::vector<int64_t> shape = {});
  // Any memory: fused, stacked, padded, flat or transposed; what no piece names belongs to no tensor. Tied weights: the
  // same memory under several names. A piece's storage has the shape of its part, dimensions of size 1 aside (a stack
  // of tensors); or one dimension, in which the elements of the part follow each other in row-major order.
  void Add(std::string name, Tensor tensor, std::vector<Piece> pieces);

  // OK; or, of what was added first among what is wrong, InvalidArgument with the name: an empty one, one of more than
  // 1024 bytes or with control characters; the shard's status; a box that
  // is not within its storage, shard or tensor; a part and a storage that differ in shape; axes that are no
  // permutation; two pieces in the same memory of one Add; more than kMostDims dimensions.
  const absl::Status& status() const& { return status_; }
  absl::Status status() && { return std::move(status_); }

  static constexpr size_t kMostDims = 8;

  // ---- for the library
  struct Storage {
    std::string name;
    Tensor tensor;
  };
  // A piece whose boxes are complete and checked.
  struct Placed {
    size_t storage = 0;  // of storages()
    Piece piece;
    Box box;                       // in the whole tensor
    int64_t offset = 0;            // of its first element in the storage, in elements
    std::vector<int64_t> strides;  // along the dimensions of the tensor, in elements
    bool packed = false;           // offset and strides are those of a row-major tensor of the shard's shape
  };
  const std::vector<Storage>& storages() const { return storages_; }
  const std::vector<Placed>& pieces() const { return pieces_; }

 private:
  void Fail(const std::string& name, const absl::Status& why);
  size_t StorageOf(std::string name, Tensor tensor);

  std::vector<Storage> storages_;                            // each memory once
  std::unordered_multimap<const std::byte*, size_t> known_;  // storages by their first byte
  std::vector<Placed> pieces_;
  absl::Status status_;
};

}  // namespace twinkle
