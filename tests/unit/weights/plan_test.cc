#include "runtime/weights/plan.h"

#include "runtime/weights/cover.h"
#include "tests/unit/weights/world.h"

namespace twinkle::weights {
namespace {

DeviceMesh Tp(int ranks) { return *DeviceMesh::FromSizes({.tp = ranks}); }
// A set for each rank of a mesh.
std::vector<WeightSet> SetsOf(const DeviceMesh& mesh, const std::function<void(int, WeightSet&)>& add) {
  std::vector<WeightSet> sets(static_cast<size_t>(mesh.world_size()));
  for (int rank = 0; rank < mesh.world_size(); ++rank) {
    add(rank, sets[static_cast<size_t>(rank)]);
    INFO(sets[static_cast<size_t>(rank)].status());
    REQUIRE(sets[static_cast<size_t>(rank)].status().ok());
  }
  return sets;
}
// Sets of one tensor of that shape.
std::vector<WeightSet> SetsOf(const DeviceMesh& mesh, const std::string& name, const std::vector<int64_t>& shape,
                              const std::vector<ShardDim>& dims, DType dtype = DType::kFloat32) {
  return SetsOf(mesh, [&](int rank, WeightSet& set) {
    const TensorShard shard = TensorShard::Of(mesh, rank, dims);
    set.Add(name, *Tensor::Zeros(dtype, ExtentsOf(shard.BoxOf(shape))), shard, shape);
  });
}
Model OneTensor(const std::string& name, std::vector<int64_t> shape) {
  Model model;
  model.Have(name, std::move(shape));
  return model;
}
void FillAll(const Model& model, const std::vector<WeightSet>& sets) {
  for (const WeightSet& set : sets) Fill(model, set);
}
std::string PlanComplaint(const std::vector<WeightSet>& trainer, const std::vector<WeightSet>& sampler,
                          const PlanOptions& options = {}) {
  const Side sources = SideOf("trainer", trainer);
  const Side receivers = SideOf("sampler", sampler);
  for (size_t rank = 0; rank < sampler.size(); ++rank) {
    const absl::StatusOr<Plan> plan = PlanOf(sources, receivers, rank, options);
    if (plan.ok()) continue;
    CHECK(absl::IsInvalidArgument(plan.status()));
    return std::string(plan.status().message());
  }
  return "";
}

TEST_CASE("rows to rows of fewer ranks, rows to columns, one to both") {
  const Model model = OneTensor("w", {8, 12});
  const DeviceMesh both = *DeviceMesh::FromSizes({.fsdp = 2, .tp = 2});
  const std::vector<std::pair<std::vector<WeightSet>, std::vector<WeightSet>>> cases = {
      {SetsOf(Tp(4), "w", {8, 12}, {{0, "tp"}}), SetsOf(Tp(2), "w", {8, 12}, {{0, "tp"}})},
      {SetsOf(Tp(4), "w", {8, 12}, {{0, "tp"}}), SetsOf(Tp(3), "w", {8, 12}, {{1, "tp"}})},
      {SetsOf(Tp(1), "w", {8, 12}, {}), SetsOf(both, "w", {8, 12}, {{0, "tp"}, {1, "fsdp"}})},
      {SetsOf(both, "w", {8, 12}, {{0, "tp"}, {0, "fsdp"}}), SetsOf(Tp(5), "w", {8, 12}, {{0, "tp"}})}};
  for (const auto& [trainer, sampler] : cases) {
    FillAll(model, trainer);
    const Side sources = SideOf("trainer", trainer);
    const Side receivers = SideOf("sampler", sampler);
    Sync(&trainer, &sources, &sampler, &receivers).Check(model);
  }
}

TEST_CASE("the reads of one receiver are few and long (WP1)") {
  const std::vector<WeightSet> trainer = SetsOf(Tp(4), "w", {8, 12}, {{0, "tp"}});
  const std::vector<WeightSet> sampler = SetsOf(Tp(2), "w", {8, 12}, {{0, "tp"}});
  const absl::StatusOr<Plan> plan = PlanOf(SideOf("trainer", trainer), SideOf("sampler", sampler), 1, {});
  REQUIRE(plan.ok());
  REQUIRE(plan->from_sources.size() == 2);
  CHECK(plan->from_sources[0].member == 2);
  CHECK(plan->from_sources[0].bytes == 2 * 12 * 4);
  CHECK(plan->moves[plan->from_sources[1].reads[0].move] == Move{0, 24, {{24, 1, 1}}});
}

TEST_CASE("replicas are read evenly (WP4)") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 3, .tp = 2});
  const auto add_all = [](const DeviceMesh& of) {
    return SetsOf(of, [&](int rank, WeightSet& set) {
      const TensorShard rows = TensorShard::Of(of, rank, {{0, "tp"}});
      for (int i = 0; i < 30; ++i)
        set.Add(absl::StrCat("w", i), NewFloats(ExtentsOf(rows.BoxOf({4, 4}))), rows, {4, 4});
    });
  };
  const Side sources = SideOf("trainer", add_all(mesh));
  const Side receivers = SideOf("sampler", add_all(Tp(2)));
  for (size_t self = 0; self < 2; ++self) {
    const absl::StatusOr<Plan> plan = PlanOf(sources, receivers, self, {});
    REQUIRE(plan.ok());
    REQUIRE(plan->from_sources.size() == 3);
    for (const Batch& batch : plan->from_sources) CHECK(batch.reads.size() == 10);
  }
}

TEST_CASE("one large tensor is read of all its replicas at once (WP4)") {
  const Cover cover = CoverOf({{0, 100}, {0, 10}}, {{{{0, 100}, {0, 10}}, 1}, {{{0, 100}, {0, 10}}, 1}}, 200);
  REQUIRE(cover.cuts.size() == 2);
  CHECK(cover.cuts[0].box == Box{{0, 50}, {0, 10}});
  CHECK(cover.cuts[0].holders == std::vector<size_t>{0, 1});
  CHECK(cover.cuts[1].holders == std::vector<size_t>{1, 0});
}

TEST_CASE("the nearest source is read (WP2)") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 4});
  const std::vector<WeightSet> trainer = SetsOf(mesh, "w", {4}, {});
  const std::vector<WeightSet> sampler = SetsOf(mesh, "w", {4}, {});
  // Sources 0 and 1 are on machine 0, of which 1 is receiver 1's process; 2 and 3 are on machine 1.
  const Side sources = SideOf(
      "trainer", trainer, [](int rank) { return rank / 2; }, [](int rank) { return rank; });
  const Side receivers = SideOf(
      "sampler", sampler, [](int) { return 0; }, [](int rank) { return rank == 1 ? 1 : 9 + rank; });
  const absl::StatusOr<Plan> here = PlanOf(sources, receivers, 1, {});
  REQUIRE(here.ok());
  CHECK(here->from_sources[0].member == 1);
  for (const size_t self : {0, 2, 3}) {
    const absl::StatusOr<Plan> plan = PlanOf(sources, receivers, self, {});
    REQUIRE(plan.ok());
    REQUIRE(plan->from_sources.size() == 1);
    CHECK(plan->from_sources[0].member == self % 2);
    CHECK(plan->from_fellows.empty());
  }
}

TEST_CASE("what ranks of a machine need comes there once, fetched by each in turn (WP2, WP3)") {
  const DeviceMesh mesh = *DeviceMesh::FromSizes({.dp = 2, .tp = 2});
  Model model;
  for (int i = 0; i < 8; ++i) model.Have(absl::StrCat("w", i), {4, 4});
  const auto add = [&](const DeviceMesh& of) {
    return SetsOf(of, [&](int rank, WeightSet& set) {
      const TensorShard rows = TensorShard::Of(of, rank, {{0, "tp"}});
      for (int i = 0; i < 8; ++i) set.Add(absl::StrCat("w", i), NewFloats(ExtentsOf(rows.BoxOf({4, 4}))), rows, {4, 4});
    });
  };
  const std::vector<WeightSet> trainer = add(Tp(4));
  const std::vector<WeightSet> sampler = add(mesh);
  FillAll(model, trainer);
  const Side sources = SideOf(
      "trainer", trainer, [](int) { return 0; }, [](int rank) { return rank; });
  const Side receivers = SideOf(
      "sampler", sampler, [](int) { return 1; }, [](int rank) { return 10 + rank; });
  const Sync sync(&trainer, &sources, &sampler, &receivers);
  sync.Check(model);
  CHECK_FALSE(sync.came_twice());
  for (const Plan& plan : sync.plans()) {
    int64_t fetched = 0;
    for (const Batch& batch : plan.from_sources) fetched += batch.bytes;
    CHECK(fetched == 8 * 16 * 4 / 4);
  }
}

TEST_CASE("tied weights are read once, by whichever name there is (WP1)") {
  Model model = OneTensor("embedding", {4, 2});
  const DeviceMesh mesh = Tp(1);
  const std::vector<WeightSet> trainer = SetsOf(mesh, "embedding", {4, 2}, {});
  FillAll(model, trainer);
  const std::vector<WeightSet> sampler = SetsOf(mesh, [](int, WeightSet& set) {
    const Tensor tied = NewFloats({4, 2});
    set.Add("head", tied);
    set.Add("embedding", tied);
  });
  model.Have("head", {4, 2});
  model.first["head"] = model.first["embedding"];
  const Side sources = SideOf("trainer", trainer);
  const Side receivers = SideOf("sampler", sampler);
  Sync(&trainer, &sources, &sampler, &receivers).Check(model);
}

TEST_CASE("what no source has is named: tensor, box and rank") {
  const std::vector<WeightSet> half = SetsOf(Tp(2), [](int, WeightSet& set) {
    set.Add("w", NewFloats({2, 4}), {{.shape = {8, 4}, .part = {{1, 3}, {0, 4}}}});
  });
  const std::string hole = PlanComplaint(half, SetsOf(Tp(2), "w", {8, 4}, {{0, "tp"}}));
  CHECK(hole == "tensor 'w': box [0:1, 0:4] of it, which rank 0 of sampler needs, is on no rank of trainer");
  CHECK(PlanComplaint(SetsOf(Tp(1), "v", {4}, {}), SetsOf(Tp(1), "w", {4}, {})) ==
        "tensor 'w': no rank of trainer has it, which rank 0 of sampler needs");
}

TEST_CASE("another shape or dtype is named, on both sides") {
  CHECK(PlanComplaint(SetsOf(Tp(2), "w", {8, 4}, {{0, "tp"}}), SetsOf(Tp(1), "w", {8, 6}, {})) ==
        "tensor 'w': it is float32 of shape {8, 4} on rank 0 of trainer, but float32 of shape {8, 6} on rank 0 of "
        "sampler");
  const std::vector<WeightSet> narrow = SetsOf(Tp(2), "w", {8}, {{0, "tp"}}, DType::kBFloat16);
  CHECK(PlanComplaint(SetsOf(Tp(1), "w", {8}, {}), narrow) ==
        "tensor 'w': it is float32 of shape {8} on rank 0 of trainer, but bfloat16 of shape {8} on rank 0 of sampler; "
        ".cast = true would round it");
  CHECK(PlanComplaint(SetsOf(Tp(1), "w", {8}, {}), narrow, {.match = {}, .keep = {}, .cast = true}).empty());
  CHECK_FALSE(PlanComplaint(narrow, SetsOf(Tp(1), "w", {8}, {}), {.match = {}, .keep = {}, .cast = true}).empty());
}

TEST_CASE("several faults are counted, the first is told") {
  const std::vector<WeightSet> sampler = SetsOf(Tp(1), [](int, WeightSet& set) {
    for (const char* name : {"a", "b", "c"}) set.Add(name, NewFloats({2}));
  });
  CHECK_THAT(
      PlanComplaint(SetsOf(Tp(1), "b", {2}, {}), sampler),
      Catch::Matchers::ContainsSubstring("tensor 'a'") && Catch::Matchers::ContainsSubstring("(and 1 more tensors)"));
}

TEST_CASE("tensors are kept, renamed, or left alone; what nobody wants is ignored") {
  const auto add = [](std::vector<std::string> names) {
    return SetsOf(Tp(1), [&](int, WeightSet& set) {
      for (const std::string& name : names) set.Add(name, NewFloats({2}));
    });
  };
  const std::vector<WeightSet> trainer = add({"model.a", "model.b", "optimizer"});
  const Side sources = SideOf("trainer", trainer);
  const Side receivers = SideOf("sampler", add({"policy.a", "policy.b", "cache.1", "rope"}));
  const PlanOptions options{.match = {{"cache.*", ""}, {"policy.*", "model.*"}}, .keep = {"rope"}, .cast = false};
  const absl::StatusOr<Plan> plan = PlanOf(sources, receivers, 0, options);
  INFO(plan.status());
  REQUIRE(plan.ok());
  CHECK(plan->kept == std::vector<uint32_t>{2, 3});
  REQUIRE(plan->from_sources.size() == 1);
  CHECK(plan->from_sources[0].reads.size() == 2);
  CHECK(plan->from_sources[0].reads[1].entry == 1);
  CHECK_FALSE(PlanOf(sources, receivers, 0, {.match = options.match, .keep = {}, .cast = false}).ok());
}

TEST_CASE("patterns of names fit with one star, or word for word") {
  CHECK(Fit("a.*", "a.b.c") == "b.c");
  CHECK(Fit("*.bias", "x.bias") == "x");
  CHECK(Fit("a*a", "aa") == "");
  CHECK_FALSE(Fit("a*a", "a"));
  CHECK_FALSE(Fit("ab", "abc"));
  CHECK(SourceName({}, "w") == "w");
  CHECK(SourceName({{"a.*", "b.*.c"}}, "a.1") == "b.1.c");
  CHECK(SourceName({{"a.*", "b"}}, "a.1") == "b");
  CHECK(SourceName({{"a.*", ""}}, "a.1") == std::nullopt);
  CHECK(SourceName({{"a.*", "b"}}, "c") == "");
}

}  // namespace
}  // namespace twinkle::weights
