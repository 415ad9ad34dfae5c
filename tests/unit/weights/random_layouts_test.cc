// Any layouts on both sides: the plan, carried out on real memory, gives what the model has.
#include "runtime/mesh/share.h"
#include "tests/support/random.h"
#include "tests/unit/weights/world.h"

namespace twinkle::weights {
namespace {

// How a tensor, or a few of the same shape, are stored on each rank of a side.
enum class Way { kWhole, kShard, kTurned, kFused, kColumnsOf, kFlat, kStacked, kPadded, kTied, kCount };

class RandomSide {
 public:
  RandomSide(tests::Random* random, const Model& model) : random_(*random), model_(model) {
    std::vector<std::string> names = {"dp", "fsdp", "pp", "tp", "cp", "ep"};
    std::shuffle(names.begin(), names.end(), random_);
    names.resize(static_cast<size_t>(1 + Pick(3)));
    std::vector<int> sizes;
    for (size_t i = 0; i < names.size(); ++i) sizes.push_back(1 + Pick(3));
    mesh_ = *DeviceMesh::FromShape(sizes, names);
    sets_.resize(static_cast<size_t>(mesh_.world_size()));
  }

  // Adds tensors of one shape.
  void Add(const std::vector<std::string>& names) {
    const std::vector<int64_t>& shape = model_.shapes.at(names[0]);
    auto way = static_cast<Way>(Pick(static_cast<int>(Way::kCount)));
    const std::vector<ShardDim> dims = RandomDims(shape.size());
    std::vector<int> axes;
    for (size_t i = 0; i < shape.size(); ++i) axes.push_back(static_cast<int>(i));
    std::shuffle(axes.begin(), axes.end(), random_);
    for (int rank = 0; rank < mesh_.world_size(); ++rank) {
      const TensorShard shard = TensorShard::Of(mesh_, rank, dims);
      REQUIRE(shard.status().ok());
      WeightSet& set = sets_[static_cast<size_t>(rank)];
      AddTo(set, rank, way, names, shape, shard, axes);
      INFO(set.status());
      REQUIRE(set.status().ok());
    }
  }

  const std::vector<WeightSet>& sets() const { return sets_; }

 private:
  int Pick(int limit) { return tests::Below(random_, limit); }

  std::vector<ShardDim> RandomDims(size_t dims) {
    std::vector<ShardDim> made;
    for (size_t i = 0; i < mesh_.shape().size() && dims > 0; ++i) {
      if (Pick(3) == 0) continue;
      const int copies = mesh_.shape()[i] == 2 && Pick(4) == 0 ? 2 : 1;
      const Split split = Pick(2) == 0 ? Split::kEven : Split::kChunks;
      made.push_back({Pick(static_cast<int>(dims)), mesh_.dim_names()[i], split, copies});
    }
    return made;
  }

  void AddTo(WeightSet& set, int rank, Way way, const std::vector<std::string>& names,
             const std::vector<int64_t>& shape, const TensorShard& shard, const std::vector<int>& axes) {
    const std::vector<int64_t> local = ExtentsOf(shard.BoxOf(shape));
    switch (way) {
      case Way::kFused:
      case Way::kColumnsOf:
      case Way::kStacked:
        AddTogether(set, way, names, shape, shard, local);
        return;
      case Way::kFlat:
        AddFlat(set, rank, names, shape);
        return;
      default:
        break;
    }
    for (const std::string& name : names) {
      if (way == Way::kWhole) set.Add(name, NewFloats(shape));
      if (way == Way::kShard) set.Add(name, NewFloats(local), shard, shape);
      if (way == Way::kTurned) {
        std::vector<int64_t> turned;
        for (const int axis : axes) turned.push_back(local[static_cast<size_t>(axis)]);
        set.Add(name + ".turned", NewFloats(turned), {{.tensor = name, .shape = shape, .shard = shard, .axes = axes}});
      }
      if (way == Way::kPadded) {
        std::vector<int64_t> padded = local;
        if (!padded.empty()) padded[0] += 3;
        set.Add(name, NewFloats(padded), {{.shape = shape, .shard = shard, .storage = Whole(local)}});
      }
      if (way == Way::kTied) {
        const Tensor tied = NewFloats(local);
        set.Add(name, tied, shard, shape);
        set.Add(name, tied, shard, shape);
      }
    }
  }

  // In one storage: along the first dimension, along the last one, or along a new one.
  void AddTogether(WeightSet& set, Way way, const std::vector<std::string>& names, const std::vector<int64_t>& shape,
                   const TensorShard& shard, const std::vector<int64_t>& local) {
    const auto count = static_cast<int64_t>(names.size());
    std::vector<int64_t> storage = local;
    if (way == Way::kStacked || local.empty()) {
      storage.insert(storage.begin(), count);
    } else {
      (way == Way::kFused ? storage.front() : storage.back()) *= count;
    }
    std::vector<Piece> pieces;
    for (int64_t i = 0; i < count; ++i) {
      Box at = Whole(storage);
      if (way == Way::kStacked || local.empty()) {
        at[0] = {i, i + 1};
      } else {
        const size_t dim = way == Way::kFused ? 0 : local.size() - 1;
        at[dim] = {i * local[dim], (i + 1) * local[dim]};
      }
      pieces.push_back({.tensor = names[static_cast<size_t>(i)], .shape = shape, .shard = shard, .storage = at});
    }
    set.Add("together", NewFloats(storage), pieces);
  }

  // All of them in a row, of which each rank has its share.
  void AddFlat(WeightSet& set, int rank, const std::vector<std::string>& names, const std::vector<int64_t>& shape) {
    const int64_t each = Volume(Whole(shape));
    const mesh::Range share = mesh::Share(each * static_cast<int64_t>(names.size()), mesh_.world_size(), rank);
    std::vector<Piece> pieces;
    for (size_t i = 0; i < names.size(); ++i) {
      const int64_t first = static_cast<int64_t>(i) * each;
      const Range mine = {std::clamp<int64_t>(share.begin - first, 0, each),
                          std::clamp<int64_t>(share.end - first, 0, each)};
      const int64_t at = std::max<int64_t>(first - share.begin, 0);
      for (Piece& piece : FlatPieces(names[i], shape, mine, at)) pieces.push_back(std::move(piece));
    }
    set.Add("flat", NewFloats({share.size()}), pieces);
  }

  tests::Random& random_;
  const Model& model_;
  DeviceMesh mesh_;
  std::vector<WeightSet> sets_;
};

TEST_CASE("between any two layouts each element goes where it belongs, once (WP1, WP2, WP3)") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  for (int round = 0; round < 120; ++round) {
    INFO("round " << round);
    Model model;
    std::vector<std::vector<std::string>> groups;
    for (int group = 1 + tests::Below(random, 5); group > 0; --group) {
      std::vector<int64_t> shape;
      for (int dims = tests::Below(random, 4); dims > 0; --dims) shape.push_back(1 + tests::Below(random, 9));
      std::vector<std::string>& names = groups.emplace_back();
      for (int i = 1 + tests::Below(random, 3); i > 0; --i) {
        names.push_back(absl::StrCat("layers.", group, ".w", i));
        model.Have(names.back(), shape);
      }
    }
    RandomSide trainer(&random, model);
    RandomSide sampler(&random, model);
    for (const std::vector<std::string>& names : groups) {
      trainer.Add(names);
      if (!tests::OneIn(random, 5)) sampler.Add(names);
    }
    for (const WeightSet& set : trainer.sets()) Fill(model, set);
    const int trainer_machines = 1 + tests::Below(random, 3);
    const int sampler_machines = 1 + tests::Below(random, 3);
    const Side sources = SideOf(
        "trainer", trainer.sets(), [&](int rank) { return rank % trainer_machines; }, [](int rank) { return rank; });
    const Side receivers = SideOf(
        "sampler", sampler.sets(), [&](int rank) { return 1 + rank % sampler_machines; },
        [](int rank) { return rank; });
    const Sync sync(&trainer.sets(), &sources, &sampler.sets(), &receivers);
    sync.Check(model);
    REQUIRE_FALSE(sync.came_twice());
  }
}

}  // namespace
}  // namespace twinkle::weights
