// Two sides of a weight sync in this process, with real memory: what a plan says can be done, and looked at.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/codec/flat.h"
#include "runtime/weights/box.h"
#include "runtime/weights/copy.h"
#include "runtime/weights/plan.h"
#include "tests/support/catch.h"

namespace twinkle::weights {

// A model of float32 tensors, in which no number occurs twice.
struct Model {
  absl::flat_hash_map<std::string, std::vector<int64_t>> shapes;
  absl::flat_hash_map<std::string, int64_t> first;  // the number of the first element
  int64_t elements = 0;

  void Have(const std::string& name, std::vector<int64_t> shape) {
    first[name] = elements + 1;
    elements += Volume(Whole(shape));
    shapes[name] = std::move(shape);
  }
};

// f(place in the storage, number in the whole tensor) for each element of a piece.
inline void EachElement(const WeightSet::Placed& placed, const std::function<void(int64_t, int64_t)>& f) {
  const std::vector<int64_t> whole = PackedStrides(placed.piece.shape);
  const std::function<void(size_t, int64_t, int64_t)> walk = [&](size_t dim, int64_t at, int64_t number) {
    if (dim == placed.box.size()) {
      f(at, number);
      return;
    }
    for (int64_t i = 0; i < placed.box[dim].size(); ++i)
      walk(dim + 1, at + i * placed.strides[dim], number + (placed.box[dim].begin + i) * whole[dim]);
  };
  walk(0, placed.offset, 0);
}

inline float* FloatsOf(const WeightSet& set, size_t storage) {
  return reinterpret_cast<float*>(const_cast<std::byte*>(set.storages()[storage].tensor.raw()));
}

inline Tensor NewFloats(std::vector<int64_t> shape) { return *Tensor::Zeros(DType::kFloat32, std::move(shape)); }

inline void Fill(const Model& model, const WeightSet& set) {
  for (const WeightSet::Placed& placed : set.pieces()) {
    float* storage = FloatsOf(set, placed.storage);
    const int64_t first = model.first.at(placed.piece.tensor);
    EachElement(placed, [&](int64_t at, int64_t number) { storage[at] = static_cast<float>(first + number); });
  }
}

// The side of components whose ranks have these sets; machine and process of each rank by the functions.
inline Side SideOf(const std::string& name, const std::vector<WeightSet>& sets, const std::function<int(int)>& machine,
                   const std::function<int(int)>& process) {
  Side side;
  side.name = name;
  absl::flat_hash_map<std::string, uint32_t> known;
  for (size_t rank = 0; rank < sets.size(); ++rank) {
    const absl::StatusOr<WireTable> wire = TableOf(sets[rank], static_cast<int>(rank));
    INFO(wire.status());
    REQUIRE(wire.ok());
    const std::string bytes = *codec::EncodeFlat(*wire);
    const auto [table, added] = known.emplace(bytes, static_cast<uint32_t>(side.tables.size()));
    if (added) side.tables.push_back(std::make_shared<Table>(*Table::Read(*codec::DecodeFlat<WireTable>(bytes))));
    const int number = static_cast<int>(rank);
    side.members.push_back({table->second, number, machine(number), process(number)});
  }
  return side;
}
inline Side SideOf(const std::string& name, const std::vector<WeightSet>& sets) {
  // All on one machine, each in a process of its own.
  return SideOf(
      name, sets, [](int) { return 0; }, [&](int rank) { return name[0] * 1000 + rank; });
}

// Where the elements of a move are on the receiver's side, and on the source's.
inline void EachMoved(const Move& move, const std::function<void(int64_t, int64_t)>& f) {
  const std::function<void(size_t, int64_t, int64_t)> walk = [&](size_t step, int64_t from, int64_t to) {
    if (step == move.steps.size()) {
      f(from, to);
      return;
    }
    for (int64_t i = 0; i < move.steps[step].count; ++i)
      walk(step + 1, from + i * move.steps[step].from, to + i * move.steps[step].to);
  };
  walk(0, move.from, move.to);
}

// Syncs all receivers, and counts.
class Sync {
 public:
  Sync(const std::vector<WeightSet>* trainer, const Side* sources, const std::vector<WeightSet>* sampler,
       const Side* receivers, PlanOptions options = {})
      : trainer_(*trainer), sources_(*sources), sampler_(*sampler), receivers_(*receivers) {
    for (uint32_t rank = 0; rank < receivers_.members.size(); ++rank) {
      absl::StatusOr<Plan> plan = PlanOf(sources_, receivers_, rank, options);
      INFO(plan.status());
      REQUIRE(plan.ok());
      plans_.push_back(*std::move(plan));
      std::vector<std::vector<int>>& writes = writes_.emplace_back();
      for (const WeightSet::Storage& storage : sampler_[rank].storages())
        writes.emplace_back(static_cast<size_t>(storage.tensor.size()));
    }
    for (uint32_t rank = 0; rank < plans_.size(); ++rank)
      Do(rank, plans_[rank].from_sources, sources_, trainer_, &fetched_[receivers_.members[rank].machine]);
    for (uint32_t rank = 0; rank < plans_.size(); ++rank)
      Do(rank, plans_[rank].from_fellows, receivers_, sampler_, nullptr);
  }

  const std::vector<Plan>& plans() const { return plans_; }
  int writes(uint32_t rank, size_t storage, int64_t at) const {
    return writes_[rank][storage][static_cast<size_t>(at)];
  }
  // Whether an element came to a machine more than once.
  bool came_twice() const { return came_twice_; }

  // Each element that a receiver has a piece for is the model's, and was written once; nothing else was.
  void Check(const Model& model) const {
    for (uint32_t rank = 0; rank < plans_.size(); ++rank) {
      const WeightSet& set = sampler_[rank];
      absl::flat_hash_set<std::pair<size_t, int64_t>> needed;
      for (const WeightSet::Placed& placed : set.pieces()) {
        INFO("rank " << rank << ", " << placed.piece.tensor);
        const float* storage = FloatsOf(set, placed.storage);
        const int64_t first = model.first.at(placed.piece.tensor);
        bool right = true;
        EachElement(placed, [&](int64_t at, int64_t number) {
          right = right && storage[at] == static_cast<float>(first + number) && writes(rank, placed.storage, at) == 1;
          needed.insert({placed.storage, at});
        });
        REQUIRE(right);
      }
      size_t written = 0;
      for (const std::vector<int>& storage : writes_[rank]) {
        for (const int count : storage) written += static_cast<size_t>(count);
      }
      REQUIRE(written == needed.size());
    }
  }

 private:
  void Do(uint32_t rank, const std::vector<Batch>& batches, const Side& side, const std::vector<WeightSet>& theirs,
          absl::flat_hash_set<float>* fetched) {
    const Table& own = *receivers_.tables[receivers_.members[rank].table];
    for (const Batch& batch : batches) {
      const bool far = side.members[batch.member].machine != receivers_.members[rank].machine;
      const Table& table = *side.tables[side.members[batch.member].table];
      int64_t elements = 0;
      for (const Read& read : batch.reads) {
        const Move& move = plans_[rank].moves[read.move];
        const Entry& at = own.entry(read.own);
        const float* from =
            FloatsOf(theirs[batch.member], table.entry(read.entry).storage) + table.entry(read.entry).offset;
        float* to = FloatsOf(sampler_[rank], at.storage) + at.offset;
        EachMoved(move, [&](int64_t there, int64_t here) {
          ++writes_[rank][at.storage][static_cast<size_t>(at.offset + here)];
          if (far && fetched != nullptr && !fetched->insert(from[there]).second) came_twice_ = true;
        });
        Copy(move, DType::kFloat32, reinterpret_cast<const std::byte*>(from), DType::kFloat32,
             reinterpret_cast<std::byte*>(to));
        elements += move.elements();
      }
      REQUIRE(batch.bytes == elements * 4);
    }
  }

  const std::vector<WeightSet>& trainer_;
  const Side& sources_;
  const std::vector<WeightSet>& sampler_;
  const Side& receivers_;
  std::vector<Plan> plans_;
  std::vector<std::vector<std::vector<int>>> writes_;  // by rank, storage, element
  absl::flat_hash_map<int, absl::flat_hash_set<float>> fetched_;
  bool came_twice_ = false;
};

}  // namespace twinkle::weights
