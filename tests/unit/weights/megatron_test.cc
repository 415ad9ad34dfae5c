// A trainer as Megatron lays it out (tp, pp, ep, dp) to an inference engine of tp ranks.
#include "runtime/mesh/share.h"
#include "tests/unit/weights/world.h"

namespace twinkle::weights {
namespace {

constexpr int kLayers = 4;
constexpr int64_t kHidden = 12;
constexpr int64_t kHeadSize = 3;
constexpr int64_t kGroups = 4;  // key heads; each has kPerGroup query heads
constexpr int64_t kPerGroup = 2;
constexpr int64_t kExperts = 8;
constexpr int64_t kInner = 8;  // of an expert
constexpr int64_t kVocabulary = 29;
constexpr int64_t kQueryRows = kGroups * kPerGroup * kHeadSize;
constexpr int64_t kKeyRows = kGroups * kHeadSize;

std::string LayerName(int layer, const std::string& what) { return absl::StrCat("model.layers.", layer, ".", what); }
std::string ExpertName(int layer, int64_t expert, const std::string& what) {
  return LayerName(layer, absl::StrCat("mlp.experts.", expert, ".", what));
}

Model MoeModel() {
  Model model;
  model.Have("model.embed_tokens", {kVocabulary, kHidden});
  model.Have("lm_head", {kVocabulary, kHidden});
  for (int layer = 0; layer < kLayers; ++layer) {
    model.Have(LayerName(layer, "norm"), {kHidden});
    model.Have(LayerName(layer, "q_proj"), {kQueryRows, kHidden});
    model.Have(LayerName(layer, "k_proj"), {kKeyRows, kHidden});
    model.Have(LayerName(layer, "v_proj"), {kKeyRows, kHidden});
    model.Have(LayerName(layer, "o_proj"), {kHidden, kQueryRows});
    for (int64_t expert = 0; expert < kExperts; ++expert) {
      model.Have(ExpertName(layer, expert, "gate_proj"), {kInner, kHidden});
      model.Have(ExpertName(layer, expert, "up_proj"), {kInner, kHidden});
      model.Have(ExpertName(layer, expert, "down_proj"), {kHidden, kInner});
    }
  }
  return model;
}

// 16 ranks: 2 stages of 2 dp by 4 tp; experts in a stage: 4 ep by 2 etp.
class Megatron {
 public:
  static DeviceMesh Mesh() { return *DeviceMesh::FromSizes({.pp = 2, .dp = 2, .tp = 4, .ep = 4, .etp = 2}); }

  explicit Megatron(int rank) : rank_(rank), mesh_(Mesh()) {
    const int stage = *mesh_.DimRank(rank, "pp");
    if (stage == 0) AddVocabulary("model.embed_tokens");
    for (int layer = stage * 2; layer < stage * 2 + 2; ++layer) AddLayer(layer);
    if (stage == 1) AddVocabulary("lm_head");
  }
  WeightSet set() && { return std::move(set_); }

 private:
  TensorShard Shard(std::vector<ShardDim> dims) const { return TensorShard::Of(mesh_, rank_, std::move(dims)); }

  // Padded to what tp divides: chunks of 8 rows, of which the last rank uses 5.
  void AddVocabulary(const std::string& name) {
    const TensorShard rows = Shard({{0, "tp", Split::kChunks}});
    const int64_t used = rows.BoxOf({kVocabulary, kHidden})[0].size();
    set_.Add(name, NewFloats({8, kHidden}),
             {{.shape = {kVocabulary, kHidden}, .shard = rows, .storage = {{0, used}, {0, kHidden}}}});
  }

  void AddLayer(int layer) {
    set_.Add(LayerName(layer, "norm"), NewFloats({kHidden}));
    AddQkv(layer);
    set_.Add(LayerName(layer, "o_proj"), NewFloats({kHidden, kQueryRows / 4}), Shard({{1, "tp"}}));
    const Range mine = Shard({{0, "ep"}}).BoxOf({kExperts})[0];
    for (int64_t expert = mine.begin; expert < mine.end; ++expert) {
      const TensorShard rows = Shard({{0, "etp"}});
      const int64_t half = kInner / 2;
      set_.Add(ExpertName(layer, expert, "linear_fc1"), NewFloats({2 * half, kHidden}),
               {{.tensor = ExpertName(layer, expert, "gate_proj"),
                 .shape = {kInner, kHidden},
                 .shard = rows,
                 .storage = {{0, half}, {0, kHidden}}},
                {.tensor = ExpertName(layer, expert, "up_proj"),
                 .shape = {kInner, kHidden},
                 .shard = rows,
                 .storage = {{half, 2 * half}, {0, kHidden}}}});
      set_.Add(ExpertName(layer, expert, "down_proj"), NewFloats({kHidden, half}), Shard({{1, "etp"}}));
    }
  }

  // For each of the rank's groups: its query heads, its key, its value.
  void AddQkv(int layer) {
    const TensorShard rows = Shard({{0, "tp"}});
    const int64_t groups = kGroups / 4;
    int64_t at = 0;
    std::vector<Piece> pieces;
    for (int64_t group = 0; group < groups; ++group) {
      const auto add = [&](const char* name, int64_t all, int64_t each) {
        pieces.push_back({.tensor = LayerName(layer, name),
                          .shape = {all, kHidden},
                          .shard = rows,
                          .part = {{group * each, (group + 1) * each}, {0, kHidden}},
                          .storage = {{at, at + each}, {0, kHidden}}});
        at += each;
      };
      add("q_proj", kQueryRows, kPerGroup * kHeadSize);
      add("k_proj", kKeyRows, kHeadSize);
      add("v_proj", kKeyRows, kHeadSize);
    }
    set_.Add(LayerName(layer, "linear_qkv"), NewFloats({at, kHidden}), pieces);
  }

  const int rank_;
  const DeviceMesh mesh_;
  WeightSet set_;
};

// 8 tp ranks, so two share each key head; experts are stacked, each rank has a part of each.
WeightSet EngineSet(const DeviceMesh& mesh, int rank) {
  WeightSet set;
  const TensorShard rows = TensorShard::Of(mesh, rank, {{0, "tp"}});
  const TensorShard chunks = TensorShard::Of(mesh, rank, {{0, "tp", Split::kChunks}});
  const TensorShard keys = TensorShard::Of(mesh, rank, {{0, "tp", Split::kEven, 2}});
  const TensorShard columns = TensorShard::Of(mesh, rank, {{1, "tp"}});
  for (const char* name : {"model.embed_tokens", "lm_head"}) {
    set.Add(name, NewFloats(ExtentsOf(chunks.BoxOf({kVocabulary, kHidden}))), chunks, {kVocabulary, kHidden});
  }
  const int64_t queries = kQueryRows / 8;
  const int64_t inner = kInner / 8;
  for (int layer = 0; layer < kLayers; ++layer) {
    set.Add(LayerName(layer, "norm"), NewFloats({kHidden}));
    set.Add(LayerName(layer, "qkv_proj"), NewFloats({queries + 2 * kHeadSize, kHidden}),
            {{.tensor = LayerName(layer, "q_proj"),
              .shape = {kQueryRows, kHidden},
              .shard = rows,
              .storage = {{0, queries}, {0, kHidden}}},
             {.tensor = LayerName(layer, "k_proj"),
              .shape = {kKeyRows, kHidden},
              .shard = keys,
              .storage = {{queries, queries + kHeadSize}, {0, kHidden}}},
             {.tensor = LayerName(layer, "v_proj"),
              .shape = {kKeyRows, kHidden},
              .shard = keys,
              .storage = {{queries + kHeadSize, queries + 2 * kHeadSize}, {0, kHidden}}}});
    set.Add(LayerName(layer, "o_proj"), NewFloats({kHidden, queries}), columns);
    std::vector<Piece> up;
    std::vector<Piece> down;
    for (int64_t expert = 0; expert < kExperts; ++expert) {
      const Range at = {expert, expert + 1};
      up.push_back({.tensor = ExpertName(layer, expert, "gate_proj"),
                    .shape = {kInner, kHidden},
                    .shard = rows,
                    .storage = {at, {0, inner}, {0, kHidden}}});
      up.push_back({.tensor = ExpertName(layer, expert, "up_proj"),
                    .shape = {kInner, kHidden},
                    .shard = rows,
                    .storage = {at, {inner, 2 * inner}, {0, kHidden}}});
      // Stored turned: the inner dimension first.
      down.push_back({.tensor = ExpertName(layer, expert, "down_proj"),
                      .shape = {kHidden, kInner},
                      .shard = columns,
                      .storage = {at, {0, inner}, {0, kHidden}},
                      .axes = {}});
    }
    set.Add(LayerName(layer, "w13"), NewFloats({kExperts, 2 * inner, kHidden}), up);
    for (Piece& piece : down)
      piece.storage = {{piece.storage[0].begin * inner, piece.storage[0].end * inner}, {0, kHidden}};
    for (Piece& piece : down) piece.axes = {1, 0};
    set.Add(LayerName(layer, "w2"), NewFloats({kExperts * inner, kHidden}), down);
  }
  return set;
}

TEST_CASE("tp by pp by ep to the tp ranks of an engine, on other machines") {
  const Model model = MoeModel();
  std::vector<WeightSet> trainer;
  for (int rank = 0; rank < 16; ++rank) trainer.push_back(Megatron(rank).set());
  std::vector<WeightSet> sampler;
  for (int rank = 0; rank < 8; ++rank) sampler.push_back(EngineSet(*DeviceMesh::FromSizes({.tp = 8}), rank));
  for (const WeightSet& set : trainer) Fill(model, set);
  const Side sources = SideOf(
      "trainer", trainer, [](int rank) { return rank / 8; }, [](int rank) { return rank; });
  // Stages by ep coordinates; tp and dp make no difference but for the last rank's vocabulary.
  CHECK(sources.tables.size() <= 16);
  for (const int machines : {0, 2}) {
    for (const WeightSet& set : sampler) {
      for (size_t i = 0; i < set.storages().size(); ++i)
        std::fill_n(FloatsOf(set, i), set.storages()[i].tensor.size(), 0.0F);
    }
    const Side receivers = SideOf(
        "sampler", sampler, [&](int rank) { return machines + rank / 4; }, [](int rank) { return 100 + rank; });
    const Sync sync(&trainer, &sources, &sampler, &receivers);
    sync.Check(model);
    CHECK_FALSE(sync.came_twice());
  }
}

}  // namespace
}  // namespace twinkle::weights
