// What a weight sync costs before a byte moves, and copying as a plan says: of a large mixture of experts, 256 trainer
// ranks to 128 of an inference engine.
#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <time.h>
#include <twinkle/weight_set.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/codec/flat.h"
#include "runtime/weights/copy.h"
#include "runtime/weights/plan.h"
#include "tests/benchmark/measure.h"

namespace twinkle::weights {
namespace {

using benchmark::Median, benchmark::Report, benchmark::SecondsOf;

constexpr int kLayers = 64;
constexpr int kExperts = 520;  // three tensors each: 100,288 in all
constexpr int64_t kHidden = 4096;
constexpr int64_t kInner = 1536;
constexpr int kRanksOfMachine = 8;

template <class T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(value);
}

// Tensors of which there is no memory, each at an address of its own: nobody reads them.
Tensor Unmade(std::vector<int64_t> shape) {
  static uintptr_t next = 1 << 20;
  next += 64;
  return Must<Tensor>(Tensor::FromBuffer(DType::kBFloat16, std::move(shape), nullptr,
                                         reinterpret_cast<const std::byte*>(next), false));  // NOLINT: an address
}

std::string At(int layer, const char* what) { return absl::StrCat("model.layers.", layer, ".", what); }
std::string At(int layer, int64_t expert, const char* what) {
  return absl::StrCat("model.layers.", layer, ".mlp.experts.", expert, ".", what);
}

// Each rank's own layers, its share of their experts, and a part of the rest.
WeightSet TrainerSet(const DeviceMesh& mesh, int rank) {
  WeightSet set;
  const auto shard = [&](std::vector<ShardDim> dims) { return TensorShard::Of(mesh, rank, std::move(dims)); };
  const Range layers = shard({{0, "pp"}}).BoxOf({kLayers})[0];
  const Range experts = shard({{0, "ep"}}).BoxOf({kExperts})[0];
  for (int layer = static_cast<int>(layers.begin); layer < layers.end; ++layer) {
    set.Add(At(layer, "input_layernorm.weight"), Unmade({kHidden}));
    set.Add(At(layer, "post_attention_layernorm.weight"), Unmade({kHidden}));
    set.Add(At(layer, "mlp.gate.weight"), Unmade({kExperts, kHidden}));
    for (const char* name : {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"})
      set.Add(At(layer, name), Unmade({kHidden / 8, kHidden}), shard({{0, "tp"}}));
    set.Add(At(layer, "self_attn.o_proj.weight"), Unmade({kHidden, kHidden / 8}), shard({{1, "tp"}}));
    for (int64_t expert = experts.begin; expert < experts.end; ++expert) {
      set.Add(At(layer, expert, "gate_proj.weight"), Unmade({kInner, kHidden}));
      set.Add(At(layer, expert, "up_proj.weight"), Unmade({kInner, kHidden}));
      set.Add(At(layer, expert, "down_proj.weight"), Unmade({kHidden, kInner}));
    }
  }
  return set;
}

// Everything, dealt along tp; the experts of a layer in two stacks.
WeightSet EngineSet(const DeviceMesh& mesh, int rank) {
  WeightSet set;
  const TensorShard rows = TensorShard::Of(mesh, rank, {{0, "tp"}});
  const TensorShard columns = TensorShard::Of(mesh, rank, {{1, "tp"}});
  const int64_t inner = kInner / 8;
  for (int layer = 0; layer < kLayers; ++layer) {
    set.Add(At(layer, "input_layernorm.weight"), Unmade({kHidden}));
    set.Add(At(layer, "post_attention_layernorm.weight"), Unmade({kHidden}));
    set.Add(At(layer, "mlp.gate.weight"), Unmade({kExperts, kHidden}));
    for (const char* name : {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"})
      set.Add(At(layer, name), Unmade({kHidden / 8, kHidden}), rows);
    set.Add(At(layer, "self_attn.o_proj.weight"), Unmade({kHidden, kHidden / 8}), columns);
    std::vector<Piece> up;
    std::vector<Piece> down;
    for (int64_t expert = 0; expert < kExperts; ++expert) {
      const Range at = {expert, expert + 1};
      const auto add = [&](std::vector<Piece>* to, const char* name, std::vector<int64_t> shape,
                           const TensorShard& shard, Box storage) {
        to->push_back({.tensor = At(layer, expert, name),
                       .shape = std::move(shape),
                       .shard = shard,
                       .storage = std::move(storage)});
      };
      add(&up, "gate_proj.weight", {kInner, kHidden}, rows, {at, {0, inner}, {0, kHidden}});
      add(&up, "up_proj.weight", {kInner, kHidden}, rows, {at, {inner, 2 * inner}, {0, kHidden}});
      add(&down, "down_proj.weight", {kHidden, kInner}, columns, {at, {0, kHidden}, {0, inner}});
    }
    set.Add(At(layer, "mlp.experts.w13"), Unmade({kExperts, 2 * inner, kHidden}), std::move(up));
    set.Add(At(layer, "mlp.experts.w2"), Unmade({kExperts, kHidden, inner}), std::move(down));
  }
  return set;
}

// What the calling thread has computed so far, in milliseconds: what the plan costs on a machine that has other work.
double ThreadMilliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// A side as its ranks would describe it: each table that differs once, encoded.
struct Described {
  std::vector<std::string> tables;
  std::vector<Member> members;

  void Add(const WeightSet& set, int rank, int ranks, int first_machine) {
    const std::string bytes = Must(codec::EncodeFlat(Must(TableOf(set, rank))));
    const auto known = std::find(tables.begin(), tables.end(), bytes);
    const auto table = static_cast<uint32_t>(known - tables.begin());
    if (known == tables.end()) tables.push_back(bytes);
    for (; ranks > 0; --ranks, ++rank)
      members.push_back({table, rank, first_machine + rank / kRanksOfMachine, 1000 * first_machine + rank});
  }
  size_t bytes() const {
    size_t bytes = 0;
    for (const std::string& table : tables) bytes += table.size();
    return bytes;
  }
  Side Decode(const char* name) const {
    Side side{name, {}, members};
    for (const std::string& table : tables)
      side.tables.push_back(std::make_shared<Table>(Must(Table::Read(Must(codec::DecodeFlat<WireTable>(table))))));
    return side;
  }
};

void MeasurePlan(int samples) {
  const DeviceMesh trainer_mesh = *DeviceMesh::FromSizes({.pp = 8, .dp = 4, .tp = 8, .ep = 8});
  const DeviceMesh engine_mesh = *DeviceMesh::FromSizes({.dp = 16, .tp = 8});
  Described trainer;
  Described engine;
  for (int rank = 0; rank < trainer_mesh.world_size(); ++rank) trainer.Add(TrainerSet(trainer_mesh, rank), rank, 1, 0);
  engine.Add(EngineSet(engine_mesh, 0), 0, engine_mesh.world_size(), 100);  // ranks that do not differ
  Report("sync_table_bytes", "bytes", {static_cast<double>(trainer.bytes() + engine.bytes())},
         absl::StrFormat(",\"trainer\":%d,\"trainer_tables\":%d,\"engine\":%d,\"engine_tables\":%d", trainer.bytes(),
                         trainer.tables.size(), engine.bytes(), engine.tables.size()));
  std::vector<double> times;
  std::vector<double> decoding;
  std::vector<double> computing;
  size_t tensors = 0;
  size_t reads = 0;
  int64_t bytes = 0;
  for (int i = 0; i < samples; ++i) {
    Side sources;
    Side receivers;
    Plan plan;
    const double before = ThreadMilliseconds();
    decoding.push_back(1e3 * SecondsOf([&] {
                         sources = trainer.Decode("trainer");
                         receivers = engine.Decode("engine");
                       }));
    times.push_back(decoding.back() +
                    1e3 * SecondsOf([&] {
                      plan = Must(PlanOf(sources, receivers, static_cast<size_t>(i) % receivers.members.size(), {}));
                    }));
    computing.push_back(ThreadMilliseconds() - before);
    tensors = receivers.tables[0]->size();
    reads = 0;
    bytes = 0;
    for (const auto* batches : {&plan.from_sources, &plan.from_fellows}) {
      for (const Batch& batch : *batches) {
        reads += batch.reads.size();
        bytes += batch.bytes;
      }
    }
  }
  Report("sync_plan_ms", "ms", times,
         absl::StrFormat(",\"decode_ms\":%.4g,\"cpu_ms\":%.4g,\"tensors\":%d,\"reads\":%d,\"gib\":%.3f",
                         Median(decoding), Median(computing), tensors, reads, static_cast<double>(bytes) / (1 << 30)));
}

// A matrix of float32 from one layout to another, beside what memcpy takes for as much.
void MeasureCopy(int samples, int64_t rows) {
  const Box whole = {{0, rows}, {0, rows}};
  const auto bytes = static_cast<size_t>(rows * rows) * sizeof(float);
  const std::vector<std::byte> from(bytes, std::byte{1});
  std::vector<std::byte> to(bytes, std::byte{2});
  const auto speed = [&](const auto& copy) {
    std::vector<double> speeds;
    for (int i = 0; i < samples; ++i) speeds.push_back(static_cast<double>(bytes) / SecondsOf(copy) / 1e9);
    return speeds;
  };
  const double floor = Median(speed([&] { std::memcpy(to.data(), from.data(), bytes); }));
  const View packed{whole, {rows, 1}};
  const auto report = [&](const char* metric, const std::vector<Move>& moves) {
    const std::vector<double> speeds = speed([&] {
      for (const Move& move : moves) Copy(move, DType::kFloat32, from.data(), DType::kFloat32, to.data());
    });
    Report(metric, "GB/s", speeds,
           absl::StrFormat(",\"memcpy_gbs\":%.3g,\"ratio\":%.3f", floor, Median(speeds) / floor));
  };
  const int64_t half = rows / 2;
  // Two ranks' rows to two ranks' columns: each a tensor of its own.
  std::vector<Move> columns;
  for (const int64_t row : {int64_t{0}, half}) {
    for (const int64_t column : {int64_t{0}, half}) {
      Move move = MoveOf({{row, row + half}, {column, column + half}}, packed,
                         {{{0, rows}, {column, column + half}}, {half, 1}});
      if (column > 0) move.to += rows * half;
      columns.push_back(std::move(move));
    }
  }
  report("sync_copy_rows_gbs", {MoveOf(whole, packed, packed)});
  report("sync_copy_columns_gbs", columns);
  report("sync_copy_turned_gbs", {MoveOf(whole, packed, {whole, {1, rows}})});
}

}  // namespace
}  // namespace twinkle::weights

int main(int argc, char** argv) {
  bool quick = false;
  CLI::App app("Measures the tables and plans of a weight sync, and copying as they say.");
  app.add_flag("--quick", quick, "Few samples: that it works, not how fast");
  CLI11_PARSE(app, argc, argv);
  twinkle::weights::MeasurePlan(quick ? 1 : 9);
  twinkle::weights::MeasureCopy(quick ? 1 : 9, quick ? 512 : 8192);
  return 0;
}
