#include <twinkle/tensor_shard.h>

#include "tests/support/catch.h"

namespace twinkle::weights {
namespace {

DeviceMesh MeshFrom(MeshSizes sizes) {
  const Answer<DeviceMesh> mesh = DeviceMesh::FromSizes(sizes);
  REQUIRE(mesh.ok());
  return *mesh;
}
Box BoxAt(const DeviceMesh& mesh, int rank, std::vector<ShardDim> dims, const std::vector<int64_t>& shape) {
  const TensorShard shard = TensorShard::Of(mesh, rank, std::move(dims));
  INFO(shard.status());
  REQUIRE(shard.status().ok());
  return shard.BoxOf(shape);
}
bool Says(const TensorShard& shard, const std::string& text) {
  return absl::IsInvalidArgument(shard.status()) &&
         std::string(shard.status().message()).find(text) != std::string::npos;
}

TEST_CASE("shards by rows, by columns, by both, and of nothing") {
  const DeviceMesh mesh = MeshFrom({.dp = 2, .tp = 4});
  const std::vector<int64_t> shape = {16, 8};
  CHECK(BoxAt(mesh, 6, {}, shape) == Box{{0, 16}, {0, 8}});
  CHECK(BoxAt(mesh, 6, {{0, "tp"}}, shape) == Box{{8, 12}, {0, 8}});
  CHECK(BoxAt(mesh, 6, {{1, "tp"}}, shape) == Box{{0, 16}, {4, 6}});
  CHECK(BoxAt(mesh, 6, {{1, "tp"}, {0, "dp"}}, shape) == Box{{8, 16}, {4, 6}});
  CHECK(BoxAt(mesh, 2, {{0, "tp"}}, shape) == BoxAt(mesh, 6, {{0, "tp"}}, shape));
  CHECK(TensorShard::Of(mesh, 6, {{1, "tp"}, {0, "dp"}}).WholeOf({8, 2}) == shape);
}

TEST_CASE("a dimension that is named twice is dealt twice") {
  const DeviceMesh mesh = MeshFrom({.fsdp = 2, .tp = 4});
  CHECK(BoxAt(mesh, 4 + 2, {{0, "tp"}, {0, "fsdp"}}, {16}) == Box{{10, 12}});
  CHECK(BoxAt(mesh, 4 + 2, {{0, "fsdp"}, {0, "tp"}}, {16}) == Box{{12, 14}});
}

TEST_CASE("uneven shards are even ones but for one row, or chunks") {
  const DeviceMesh mesh = MeshFrom({.tp = 4});
  const auto rows = [&](int rank, Split split, int64_t length) {
    return BoxAt(mesh, rank, {{0, "tp", split}}, {length})[0];
  };
  CHECK(rows(0, Split::kEven, 10) == Range{0, 3});
  CHECK(rows(3, Split::kEven, 10) == Range{8, 10});
  CHECK(rows(2, Split::kChunks, 10) == Range{6, 9});
  CHECK(rows(3, Split::kChunks, 10) == Range{9, 10});
  CHECK(rows(3, Split::kChunks, 5).size() == 0);
  CHECK(rows(3, Split::kEven, 2).size() == 0);
}

TEST_CASE("neighbours share a part when there are fewer parts than ranks") {
  const DeviceMesh mesh = MeshFrom({.tp = 8});
  CHECK(BoxAt(mesh, 2, {{0, "tp", Split::kEven, 4}}, {2}) == Box{{0, 1}});
  CHECK(BoxAt(mesh, 5, {{0, "tp", Split::kEven, 4}}, {2}) == Box{{1, 2}});
}

TEST_CASE("experts are dealt by a dimension of the mesh, or by its sizes within a pipeline stage") {
  const auto by_shape = DeviceMesh::FromShape({2, 4}, {"ep_fsdp", "ep"});
  REQUIRE(by_shape.ok());
  CHECK(BoxAt(*by_shape, 5, {{0, "ep"}}, {8, 3}) == Box{{2, 4}, {0, 3}});
  // Rank 13 is rank 5 of the second stage's 8: etp 1, ep 2 of 4.
  const DeviceMesh by_sizes = MeshFrom({.pp = 2, .dp = 4, .tp = 2, .ep = 4, .etp = 2});
  CHECK(BoxAt(by_sizes, 13, {{0, "ep"}, {1, "etp"}}, {8, 6}) == Box{{4, 6}, {3, 6}});
  const DeviceMesh replicated = MeshFrom({.dp = 4, .tp = 2, .ep = 2});
  CHECK(BoxAt(replicated, 5, {{0, "ep"}}, {4}) == Box{{2, 4}});
  CHECK(BoxAt(replicated, 5, {{0, "ep_fsdp"}}, {4}) == Box{{2, 3}});
}

TEST_CASE("a shard that there cannot be says why") {
  const DeviceMesh mesh = MeshFrom({.dp = 2, .tp = 4});
  CHECK(Says(TensorShard::Of(mesh, 8, {{0, "tp"}}), "no rank 8"));
  CHECK(Says(TensorShard::Of(mesh, 0, {{0, "pp"}}), "no dimension 'pp'"));
  CHECK(Says(TensorShard::Of(mesh, 0, {{0, "ep"}}), "no dimension 'ep'"));
  CHECK(Says(TensorShard::Of(mesh, 0, {{-1, "tp"}}), "dimension -1"));
  CHECK(Says(TensorShard::Of(mesh, 0, {{0, "tp", Split::kEven, 3}}), "3 copies"));
  CHECK(Says(TensorShard::Of(MeshFrom({.dp = 4, .ep = 4, .etp = 2}), 0, {{0, "ep"}}), "does not divide"));
}

}  // namespace
}  // namespace twinkle::weights
