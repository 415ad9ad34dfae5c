#include <twinkle/device_mesh.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include "runtime/base/status.h"
#include "tests/support/catch.h"

namespace twinkle {
namespace {

using Ints = std::vector<int>;
using Names = std::vector<std::string>;

std::string ReasonOf(const absl::StatusOr<DeviceMesh>& mesh) { return base::ReasonOf(mesh.status()); }

TEST_CASE("a default mesh is rank 0 alone") {
  const DeviceMesh mesh;
  CHECK(mesh.world_size() == 1);
  CHECK(mesh.ranks() == Ints{0});
  CHECK(mesh.dim_names() == Names{"dp"});
  CHECK(mesh == *DeviceMesh::FromSizes({}));
  CHECK(mesh.Validate().ok());
}

TEST_CASE("a mesh that is taken out of a temporary answer is kept") {
  const DeviceMesh& mesh = *DeviceMesh::FromShape({2, 3}, {"dp", "tp"}, {5, 4, 3, 2, 1, 0});
  const DeviceMesh& same = DeviceMesh::FromShape({2, 3}, {"dp", "tp"}, {5, 4, 3, 2, 1, 0}).value();
  CHECK(mesh == same);
  CHECK(mesh.ranks() == Ints{5, 4, 3, 2, 1, 0});
  Ints sizes;
  for (int size : (*DeviceMesh::FromShape({2, 3}, {"dp", "tp"})).shape()) sizes.push_back(size);
  CHECK(sizes == Ints{2, 3});
  const auto& [begin, end] = *mesh.Slice(5, 1);
  CHECK((begin == 3 && end == 5));
}

TEST_CASE("sizes nest fsdp, pp, dp, cp, tp from the outside in") {
  const auto mesh = DeviceMesh::FromSizes({.fsdp = 2, .pp = 2, .dp = 2, .tp = 2});
  REQUIRE(mesh.ok());
  CHECK(mesh->dim_names() == Names{"fsdp", "pp", "dp", "tp"});
  CHECK(mesh->world_size() == 16);
  CHECK(mesh->data_world_size() == 4);
  CHECK(mesh->DimSize("cp") == 0);
  CHECK(mesh->DimRank(11, "fsdp") == 1);
  CHECK(mesh->DimRank(11, "pp") == 0);
  CHECK(mesh->DimRank(11, "dp") == 1);
  CHECK(mesh->DimRank(11, "tp") == 1);
  CHECK(mesh->DimRank(11, "cp") == std::nullopt);
  CHECK(mesh->DataRank(11) == 1 * 2 + 1);
  CHECK(mesh->TpRanks(11) == Ints{10, 11});
  CHECK(mesh->PpFirstRanks() == Ints{0, 1, 2, 3, 8, 9, 10, 11});
  CHECK(mesh->CollectRanks() == Ints{4, 6, 12, 14});
}

TEST_CASE("one size is inferred from the world size") {
  const auto mesh = DeviceMesh::FromSizes({.pp = 2, .dp = -1, .tp = 2, .world_size = 12});
  REQUIRE(mesh.ok());
  CHECK(mesh->shape() == Ints{2, 3, 2});
}

TEST_CASE("sizes that cannot be are refused, each with its reason") {
  const int huge = std::numeric_limits<int>::max();
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 0})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = -1})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = -1, .world_size = 1})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = -1, .tp = -1, .world_size = 4})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 2, .world_size = 0})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = huge, .tp = huge})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = -1, .world_size = huge})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 4, .world_size = 8})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.world_size = 8})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = -1, .tp = 2, .world_size = 9})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 4, .vpp = 0})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 8, .ep = 3})) == "expert_not_dividing");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 3, .ulysses = 2})) == "ulysses_not_dividing");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 3, .ulysses = -1})) == "bad_size");
}

TEST_CASE("the first reason wins: sizes, expert, ulysses") {
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 3, .world_size = 4, .ulysses = 2, .ep = 2})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromSizes({.dp = 3, .ulysses = 2, .ep = 2})) == "expert_not_dividing");
}

TEST_CASE("shapes that cannot be are refused, each with its reason") {
  CHECK(ReasonOf(DeviceMesh::FromShape({4}, {})) == "dim_names_missing");
  CHECK(ReasonOf(DeviceMesh::FromShape({4}, {"pp", "dp"})) == "dim_names_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromShape({2, 2}, {"dp", "sp"})) == "unknown_dim_name");
  CHECK(ReasonOf(DeviceMesh::FromShape({2, 3}, {"dp", "dp"})) == "duplicate_dim_name");
  CHECK(ReasonOf(DeviceMesh::FromShape({0}, {"dp"})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromShape({2}, {"dp"}, {0, -1})) == "bad_size");
  CHECK(ReasonOf(DeviceMesh::FromShape({2}, {"dp"}, {0, 1, 2})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromShape({2}, {"dp"}, {1, 1})) == "size_mismatch");
  CHECK(ReasonOf(DeviceMesh::FromShape({3}, {"dp"}, {}, 2)) == "ulysses_not_dividing");
}

TEST_CASE("a rank outside the mesh has no coordinates") {
  const auto mesh = DeviceMesh::FromShape({2, 2}, {"pp", "dp"}, {8, 9, 10, 11});
  REQUIRE(mesh.ok());
  CHECK(mesh->DataRank(9) == 1);
  CHECK(mesh->DataRank(2) == std::nullopt);
  CHECK(mesh->DimRank(-1, "dp") == std::nullopt);
  CHECK(mesh->TpRanks(2) == Ints{2});
  CHECK_FALSE(mesh->IsPpFirst(2));
  CHECK_FALSE(mesh->IsPpLast(2));
  CHECK(DeviceMesh::FromSizes({.tp = 2})->TpRanks(2).empty());
}

TEST_CASE("a slice exists for each data rank only, unless there is one") {
  const auto mesh = DeviceMesh::FromSizes({.dp = 2});
  CHECK(*mesh->Slice(5, 0) == std::pair<int64_t, int64_t>(0, 3));
  CHECK(*mesh->Slice(5, 1) == std::pair<int64_t, int64_t>(3, 5));
  CHECK_FALSE(mesh->Slice(5, 2).ok());
  CHECK_FALSE(mesh->Slice(5, -1).ok());
  CHECK_FALSE(mesh->Slice(-5, 0).ok());
  CHECK(*DeviceMesh().Slice(5, 7) == std::pair<int64_t, int64_t>(0, 5));
}

TEST_CASE("expert sizes are attributes with defaults") {
  const auto mesh = DeviceMesh::FromSizes({.dp = 8, .ep = 4});
  CHECK(mesh->DimSize("ep") == 0);
  CHECK(mesh->ep() == 4);
  CHECK(mesh->etp() == 1);
  CHECK(mesh->ep_fsdp() == 2);
  CHECK(mesh->vpp() == std::nullopt);
  CHECK(DeviceMesh::FromSizes({.dp = 4, .ep = 2, .ep_fsdp = 1})->ep_fsdp() == 1);
  CHECK(DeviceMesh::FromSizes({.dp = 4, .ep = 1})->ep_fsdp() == std::nullopt);
}

TEST_CASE("listing the ranks 0, 1, 2, ... changes nothing") {
  CHECK(*DeviceMesh::FromShape({3}, {"dp"}, {0, 1, 2}) == *DeviceMesh::FromSizes({.dp = 3}));
  CHECK(*DeviceMesh::FromShape({2}, {"dp"}, {1, 0}) != *DeviceMesh::FromSizes({.dp = 2}));
}

// An archive that "loads" what a hostile peer sent.
struct Forgery {
  Ints shape;
  Names names;
  Ints ranks = {};
  int ulysses = 1;

  void operator()(Ints& shape_out, Names& names_out, Ints& ranks_out, int& ulysses_out, std::optional<int>&,
                  std::optional<int>&, std::optional<int>&, std::optional<int>&) {
    shape_out = shape;
    names_out = names;
    ranks_out = ranks;
    ulysses_out = ulysses;
  }
  absl::Status Load() {
    DeviceMesh mesh;
    mesh.serialize(*this);
    return mesh.Validate();
  }
};

TEST_CASE("a deserialised mesh is checked like any other") {
  const int huge = std::numeric_limits<int>::max();
  CHECK(Forgery{{2, 2}, {"dp", "tp"}}.Load().ok());
  CHECK_FALSE(Forgery{{}, {}}.Load().ok());
  CHECK_FALSE(Forgery{{0}, {"dp"}}.Load().ok());
  CHECK_FALSE(Forgery{{huge, huge, huge}, {"dp", "tp", "pp"}}.Load().ok());
  CHECK_FALSE(Forgery{{2, 2}, {"dp"}}.Load().ok());
  CHECK_FALSE(Forgery{{2}, {"dp"}, {5, 5}}.Load().ok());
  CHECK_FALSE(Forgery{{2}, {"dp"}, {}, 0}.Load().ok());
}

// Up to five dimensions in any order, ranks listed in any order, and a ulysses that divides.
DeviceMesh RandomMesh(std::mt19937& random) {
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  Names names = {"fsdp", "pp", "dp", "cp", "tp"};
  std::shuffle(names.begin(), names.end(), random);
  names.resize(draw(1, 5));
  Ints shape(names.size());
  for (int& size : shape) size = draw(1, 3);
  const DeviceMesh plain = *DeviceMesh::FromShape(shape, names);
  Ints ranks = plain.ranks();
  if (draw(0, 1) == 1) std::shuffle(ranks.begin(), ranks.end(), random);
  const int offset = draw(0, 2);
  for (int& rank : ranks) rank += offset;
  const int ulysses = draw(1, 3);
  const bool divides = plain.data_world_size() % ulysses == 0;
  return *DeviceMesh::FromShape(shape, names, ranks, divides ? ulysses : 1);
}

void CheckRank(const DeviceMesh& mesh, int position, int rank) {
  int from_coordinates = 0;
  for (size_t i = 0; i < mesh.shape().size(); ++i)
    from_coordinates = from_coordinates * mesh.shape()[i] + *mesh.DimRank(rank, mesh.dim_names()[i]);
  CHECK(from_coordinates == position);
  CHECK(mesh.DataRank(rank) == mesh.DataRanks()[position]);
  const Ints peers = mesh.TpRanks(rank);
  CHECK(std::find(peers.begin(), peers.end(), rank) != peers.end());
  for (int peer : peers) CHECK(mesh.DataRank(peer) == mesh.DataRank(rank));
}

TEST_CASE("queries of any mesh agree with each other") {
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const DeviceMesh mesh = RandomMesh(random);
    const Ints ranks = mesh.ranks();
    for (size_t i = 0; i < ranks.size(); ++i) CheckRank(mesh, static_cast<int>(i), ranks[i]);

    std::set<int> collected;
    for (int rank : mesh.CollectRanks()) {
      CHECK(mesh.IsPpLast(rank));
      collected.insert(*mesh.DataRank(rank));
    }
    CHECK(collected.size() == static_cast<size_t>(mesh.data_world_size()));

    const int64_t length = std::uniform_int_distribution<int64_t>(0, 50)(random);
    int64_t next = 0;
    for (int data_rank : collected) {  // ascending from 0
      const auto slice = *mesh.Slice(length, data_rank);
      CHECK(slice.first == next);
      next = slice.second;
    }
    CHECK(next == length);
  }
}

}  // namespace
}  // namespace twinkle
