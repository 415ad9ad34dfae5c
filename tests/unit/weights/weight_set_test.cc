#include <twinkle/weight_set.h>

#include <numeric>

#include "runtime/weights/box.h"
#include "tests/support/catch.h"

namespace twinkle::weights {
namespace {

Tensor Zeros(std::vector<int64_t> shape) { return *Tensor::Zeros(DType::kFloat32, std::move(shape)); }
TensorShard TpShard(int rank, std::vector<ShardDim> dims) {
  return TensorShard::Of(*DeviceMesh::FromSizes({.tp = 4}), rank, std::move(dims));
}
std::string Complaint(const WeightSet& set) {
  CHECK(absl::IsInvalidArgument(set.status()));
  return std::string(set.status().message());
}
std::string ComplaintOf(Tensor tensor, std::vector<Piece> pieces) {
  WeightSet set;
  set.Add("x", std::move(tensor), std::move(pieces));
  return Complaint(set);
}
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a tensor that is whole, and shards of one") {
  WeightSet set;
  set.Add("norm", Zeros({8}));
  set.Add("down", Zeros({8, 2}), TpShard(3, {{1, "tp"}}));
  set.Add("vocabulary", Zeros({2, 4}), TpShard(3, {{0, "tp", Split::kChunks}}), {11, 4});
  REQUIRE(set.status().ok());
  REQUIRE(set.pieces().size() == 3);
  CHECK(set.pieces()[0].box == Box{{0, 8}});
  CHECK(set.pieces()[1].box == Box{{0, 8}, {6, 8}});
  CHECK(set.pieces()[1].piece.shape == std::vector<int64_t>{8, 8});
  CHECK(set.pieces()[2].box == Box{{9, 11}, {0, 4}});
  CHECK(set.pieces()[2].packed);
}

TEST_CASE("fused tensors are pieces of one storage") {
  WeightSet set;
  const TensorShard rows = TpShard(1, {{0, "tp"}});
  set.Add("gate_up", Zeros({4, 3}),
          {{.tensor = "gate", .shape = {8, 3}, .shard = rows, .storage = {{0, 2}, {0, 3}}},
           {.tensor = "up", .shape = {8, 3}, .shard = rows, .storage = {{2, 4}, {0, 3}}}});
  REQUIRE(set.status().ok());
  CHECK(set.storages().size() == 1);
  CHECK(set.pieces()[1].piece.tensor == "up");
  CHECK(set.pieces()[1].box == Box{{2, 4}, {0, 3}});
  CHECK(set.pieces()[1].offset == 6);
  CHECK(set.pieces()[1].packed);
}

TEST_CASE("columns of a storage are no packed tensor, a stack's members are") {
  WeightSet set;
  set.Add("both", Zeros({4, 6}), {{.tensor = "right", .shape = {4, 3}, .storage = {{0, 4}, {3, 6}}}});
  set.Add("experts", Zeros({5, 4, 6}), {{.tensor = "expert.3", .shape = {4, 6}, .storage = {{3, 4}, {0, 4}, {0, 6}}}});
  REQUIRE(set.status().ok());
  CHECK_FALSE(set.pieces()[0].packed);
  CHECK(set.pieces()[0].offset == 3);
  CHECK(set.pieces()[0].strides == std::vector<int64_t>{6, 1});
  CHECK(set.pieces()[1].packed);
  CHECK(set.pieces()[1].offset == 72);
}

TEST_CASE("a transposed piece has the storage's strides in the tensor's order") {
  WeightSet set;
  set.Add("w", Zeros({3, 5}), {{.shape = {5, 3}, .axes = {1, 0}}});
  REQUIRE(set.status().ok());
  CHECK(set.pieces()[0].piece.tensor == "w");
  CHECK(set.pieces()[0].strides == std::vector<int64_t>{1, 5});
}

TEST_CASE("a run of a flat buffer is at most two boxes for each dimension, in order") {
  const std::vector<int64_t> shape = {3, 4, 5};
  for (int64_t begin = 0; begin <= 60; ++begin) {
    for (int64_t end = begin; end <= 60; ++end) {
      const std::vector<Piece> pieces = FlatPieces("w", shape, {begin, end}, 7);
      REQUIRE(pieces.size() <= 6);
      int64_t at = begin;
      for (const Piece& piece : pieces) {
        const std::vector<int64_t> strides = PackedStrides(shape);
        int64_t first = 0;
        for (size_t i = 0; i < shape.size(); ++i) first += piece.part[i].begin * strides[i];
        REQUIRE(first == at);
        REQUIRE(piece.storage == Box{{7 + at - begin, 7 + at - begin + Volume(piece.part)}});
        at += Volume(piece.part);
      }
      REQUIRE(at == end);
    }
  }
  CHECK(FlatPieces("w", shape, {0, 60}, 0).size() == 1);
  WeightSet set;
  set.Add("flat", Zeros({60}), FlatPieces("w", shape, {13, 49}, 0));
  CHECK(set.status().ok());
}

TEST_CASE("tied weights have one storage") {
  WeightSet set;
  const Tensor tied = Zeros({4, 2});
  set.Add("embedding", tied);
  set.Add("head", tied);
  set.Add("other", tied.Rows(0, 2));
  CHECK(set.storages().size() == 2);
  CHECK(set.pieces()[1].storage == 0);
  CHECK(set.pieces()[2].storage == 1);
}

TEST_CASE("an empty shard adds no piece") {
  WeightSet set;
  set.Add("w", Zeros({0, 2}), TpShard(3, {{0, "tp", Split::kChunks}}), {5, 2});
  CHECK(set.status().ok());
  CHECK(set.pieces().empty());
}

TEST_CASE("what does not fit is named, the first of it") {
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.shape = {5}}}), ContainsSubstring("WeightSet::Add of 'x'") &&
                                                            ContainsSubstring("a part of shape {5}") &&
                                                            ContainsSubstring("shape {4}"));
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.shape = {4}, .part = {{2, 6}}}}), ContainsSubstring("the part [2:6]"));
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.shape = {4}, .storage = {{2, 6}}}}),
             ContainsSubstring("the storage's box [2:6] is not within {4}"));
  CHECK_THAT(ComplaintOf(Zeros({4, 2}), {{.shape = {2, 4}, .axes = {0, 0}}}), ContainsSubstring("axes 0, 0"));
  CHECK_THAT(ComplaintOf(Zeros({4, 2}), {{.shape = {4, 2}, .axes = {1, 0}}}), ContainsSubstring("dimension 0"));
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.tensor = "a", .shape = {3}, .storage = {{0, 3}}},
                                      {.tensor = "b", .shape = {2}, .storage = {{2, 4}}}}),
             ContainsSubstring("share the storage's boxes [0:3] and [2:4]"));
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.tensor = "a\n", .shape = {4}}}), ContainsSubstring("'a\\n'"));
  CHECK_THAT(ComplaintOf(Zeros({4}), {{.shape = {4}, .shard = TpShard(9, {{0, "tp"}})}}),
             ContainsSubstring("no rank 9"));
  CHECK_THAT(ComplaintOf(Zeros({1}), {{.shape = std::vector<int64_t>(9, 1)}}), ContainsSubstring("at most 8"));
  WeightSet set;
  set.Add("first", Zeros({4}), TpShard(0, {{1, "tp"}}));
  set.Add("second", Zeros({4}), TpShard(7, {}));
  CHECK_THAT(Complaint(set), ContainsSubstring("'first'") && ContainsSubstring("deals dimension 1"));
}

}  // namespace
}  // namespace twinkle::weights
