#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <twinkle/weight_set.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/weights/box.h"
#include "runtime/weights/names.h"

namespace twinkle {
namespace {

using weights::BoxText, weights::Contains, weights::ExtentsOf, weights::PackedStrides, weights::Volume, weights::Whole;
using Sizes = std::vector<int64_t>;

std::string ShapeText(const Sizes& shape) { return absl::StrCat("{", absl::StrJoin(shape, ", "), "}"); }

absl::Status CheckBox(const char* what, const Box& box, const Sizes& outer) {
  const bool ordered = std::all_of(box.begin(), box.end(), [](const Range& r) { return r.begin <= r.end; });
  if (box.size() == outer.size() && ordered && Contains(Whole(outer), box)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the ", what, " ", BoxText(box), " is not within ", ShapeText(outer)));
}

absl::Status CheckShape(const Piece& piece) {
  TWINKLE_RETURN_IF_ERROR(weights::CheckName(piece.tensor));
  if (piece.shape.size() > WeightSet::kMostDims) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tensor of ", piece.shape.size(), " dimensions; there are at most ", WeightSet::kMostDims));
  }
  int64_t elements = 1;
  for (const int64_t size : piece.shape) {
    if (size < 0 || __builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements)) {
      return absl::InvalidArgumentError(absl::StrCat("no tensor has the shape ", ShapeText(piece.shape)));
    }
  }
  TWINKLE_RETURN_IF_ERROR(piece.shard.status());
  for (const ShardDim& dim : piece.shard.dims()) {
    if (static_cast<size_t>(dim.dim) < piece.shape.size()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the shard deals dimension ", dim.dim, " of a tensor of shape ", ShapeText(piece.shape)));
  }
  return absl::OkStatus();
}

bool IsPermutation(std::vector<int> axes, size_t dims) {
  std::sort(axes.begin(), axes.end());
  std::vector<int> all(dims);
  std::iota(all.begin(), all.end(), 0);
  return axes == all;
}

// The strides along the dimensions of a part, where the storage's dimension i is the part's axes[i].
absl::StatusOr<Sizes> PermutedStrides(const Sizes& part, const Sizes& storage, const Sizes& strides,
                                      const std::vector<int>& axes) {
  if (axes.size() != storage.size() || !IsPermutation(axes, part.size())) {
    return absl::InvalidArgumentError(absl::StrCat("the axes ", absl::StrJoin(axes, ", "), " are no order of the ",
                                                   part.size(), " dimensions of the tensor and ", storage.size(),
                                                   " of the storage"));
  }
  Sizes placed(part.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (part[axis] != storage[i]) {
      return absl::InvalidArgumentError(absl::StrCat("dimension ", i, " of the storage's box has ", storage[i],
                                                     " indices, but dimension ", axis, " of the part ", part[axis]));
    }
    placed[axis] = strides[i];
  }
  return placed;
}

// The same where both are in order: without dimensions of size 1 they have the same shape, or the storage has one
// dimension, in which the part's elements follow each other.
absl::StatusOr<Sizes> OrderedStrides(const Sizes& part, const Sizes& storage, const Sizes& strides) {
  Sizes placed = PackedStrides(part);
  size_t at = 0;
  bool same = true;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == 1) continue;
    while (at < storage.size() && storage[at] == 1) ++at;
    same = same && at < storage.size() && storage[at] == part[i];
    if (same) placed[i] = strides[at++];
  }
  while (at < storage.size() && storage[at] == 1) ++at;
  if (same && at == storage.size()) return placed;
  const int64_t elements = std::accumulate(part.begin(), part.end(), int64_t{1}, std::multiplies<>());
  if (storage.size() != 1 || storage[0] != elements) {
    return absl::InvalidArgumentError(
        absl::StrCat("a part of shape ", ShapeText(part), " in a storage's box of shape ", ShapeText(storage)));
  }
  placed = PackedStrides(part);
  for (int64_t& stride : placed) stride *= strides[0];
  return placed;
}

// Whether they are those of a row-major tensor; along a dimension of size 1 nobody takes a step.
bool ArePacked(const Sizes& extents, const Sizes& strides) {
  const Sizes packed = PackedStrides(extents);
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] > 1 && strides[i] != packed[i]) return false;
  }
  return true;
}

// Fills in what the piece leaves out, and where it is.
absl::StatusOr<WeightSet::Placed> Place(Piece piece, const Tensor& tensor) {
  TWINKLE_RETURN_IF_ERROR(CheckShape(piece));
  const Box shard = piece.shard.BoxOf(piece.shape);
  if (piece.part.empty()) piece.part = Whole(ExtentsOf(shard));
  if (piece.storage.empty()) piece.storage = Whole(tensor.shape());
  TWINKLE_RETURN_IF_ERROR(CheckBox("part", piece.part, ExtentsOf(shard)));
  TWINKLE_RETURN_IF_ERROR(CheckBox("storage's box", piece.storage, tensor.shape()));
  WeightSet::Placed placed;
  placed.box = weights::Within(shard, piece.part);
  const Sizes part = ExtentsOf(piece.part);
  const Sizes storage = ExtentsOf(piece.storage);
  absl::StatusOr<Sizes> strides;
  if (piece.axes.empty()) {
    strides = OrderedStrides(part, storage, tensor.strides());
  } else {
    strides = PermutedStrides(part, storage, tensor.strides(), piece.axes);
  }
  if (!strides.ok()) return strides.status();
  for (size_t i = 0; i < storage.size(); ++i) placed.offset += piece.storage[i].begin * tensor.strides()[i];
  placed.packed = ArePacked(part, *strides);
  placed.strides = *std::move(strides);
  if (placed.packed) placed.strides = PackedStrides(part);
  placed.piece = std::move(piece);
  return placed;
}

// No two of them share memory of their storage.
absl::Status CheckApart(std::vector<const Box*> boxes) {
  const auto begin = [](const Box* box) { return box->empty() ? 0 : box->front().begin; };
  std::sort(boxes.begin(), boxes.end(), [&](const Box* a, const Box* b) { return begin(a) < begin(b); });
  for (size_t i = 0; i < boxes.size(); ++i) {
    for (size_t j = i + 1; j < boxes.size(); ++j) {
      if (!boxes[i]->empty() && begin(boxes[j]) >= boxes[i]->front().end) break;
      if (Volume(weights::Intersect(*boxes[i], *boxes[j])) == 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("two pieces share the storage's boxes ", BoxText(*boxes[i]), " and ", BoxText(*boxes[j])));
    }
  }
  return absl::OkStatus();
}

// Row-major elements [begin, end) below index `dim`: what is before the first whole row of it, the whole rows, and what
// is behind the last one.
void AddFlat(const Sizes& shape, Box box, size_t dim, Range elements, std::vector<Box>* boxes) {
  if (elements.size() <= 0) return;
  if (dim == shape.size()) {
    boxes->push_back(std::move(box));
    return;
  }
  const int64_t row = std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(dim) + 1, shape.end(), int64_t{1},
                                      std::multiplies<>());
  const auto add_row = [&](int64_t index, Range within) {
    Box inner = box;
    inner[dim] = {index, index + 1};
    AddFlat(shape, std::move(inner), dim + 1, within, boxes);
  };
  const int64_t first = elements.begin / row;
  const int64_t last = elements.end / row;
  if (first == last) {
    add_row(first, {elements.begin - first * row, elements.end - first * row});
    return;
  }
  int64_t whole = first;
  if (elements.begin > first * row) {
    add_row(first, {elements.begin - first * row, row});
    whole = first + 1;
  }
  if (whole < last) {
    Box inner = box;
    inner[dim] = {whole, last};
    boxes->push_back(std::move(inner));
  }
  add_row(last, {0, elements.end - last * row});
}

}  // namespace

std::vector<Piece> FlatPieces(const std::string& tensor, const std::vector<int64_t>& shape, Range elements,
                              int64_t at) {
  std::vector<Box> boxes;
  AddFlat(shape, Whole(shape), 0, elements, &boxes);
  std::vector<Piece> pieces;
  for (Box& box : boxes) {
    const int64_t count = Volume(box);
    pieces.push_back({.tensor = tensor, .shape = shape, .part = std::move(box), .storage = {{at, at + count}}});
    at += count;
  }
  return pieces;
}

void WeightSet::Add(std::string name, Tensor tensor) {
  std::vector<int64_t> shape = tensor.shape();
  Add(std::move(name), std::move(tensor), TensorShard(), std::move(shape));
}

void WeightSet::Add(std::string name, Tensor tensor, const TensorShard& shard, std::vector<int64_t> shape) {
  if (shape.empty() && shard.status().ok()) {
    for (const ShardDim& dim : shard.dims()) {
      if (static_cast<size_t>(dim.dim) < tensor.shape().size()) continue;
      Fail(name, absl::InvalidArgumentError(absl::StrCat("the shard deals dimension ", dim.dim,
                                                         " of a tensor of shape ", ShapeText(tensor.shape()))));
      return;
    }
    shape = shard.WholeOf(tensor.shape());
  }
  Add(std::move(name), std::move(tensor), {Piece{.shape = std::move(shape), .shard = shard}});
}

void WeightSet::Add(std::string name, Tensor tensor, std::vector<Piece> pieces) {
  std::vector<Placed> placed;
  placed.reserve(pieces.size());
  for (Piece& piece : pieces) {
    if (piece.tensor.empty()) piece.tensor = name;
    absl::StatusOr<Placed> made = Place(std::move(piece), tensor);
    if (!made.ok()) {
      Fail(name, made.status());
      return;
    }
    placed.push_back(*std::move(made));
  }
  std::vector<const Box*> boxes;
  boxes.reserve(placed.size());
  for (const Placed& one : placed) boxes.push_back(&one.piece.storage);
  if (const absl::Status apart = CheckApart(std::move(boxes)); !apart.ok()) {
    Fail(name, apart);
    return;
  }
  const size_t storage = StorageOf(std::move(name), std::move(tensor));
  for (Placed& one : placed) {
    one.storage = storage;
    if (Volume(one.box) > 0) pieces_.push_back(std::move(one));
  }
}

void WeightSet::Fail(const std::string& name, const absl::Status& why) {
  if (status_.ok()) status_ = base::Annotate(why, absl::StrCat("WeightSet::Add of '", name, "'"));
}

size_t WeightSet::StorageOf(std::string name, Tensor tensor) {
  // Memory that was added under another name is the same storage: what is tied has one.
  const std::byte* first = tensor.raw();
  const auto [begin, end] = known_.equal_range(first);
  for (auto known = begin; known != end && tensor.bytes() > 0; ++known) {
    const Tensor& other = storages_[known->second].tensor;
    if (other.dtype() == tensor.dtype() && other.shape() == tensor.shape() && other.strides() == tensor.strides())
      return known->second;
  }
  known_.emplace(first, storages_.size());
  storages_.push_back({std::move(name), std::move(tensor)});
  return storages_.size() - 1;
}

}  // namespace twinkle
