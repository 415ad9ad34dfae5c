#include "runtime/weights/table.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/weights/box.h"
#include "runtime/weights/names.h"
#include "runtime/weights/varints.h"

namespace twinkle::weights {
namespace {

// What an entry says besides its name; what it does not say follows from the entry before. A contract of the wire.
constexpr uint64_t kSaysForm = 1;     // otherwise that of the last entry with the same text
constexpr uint64_t kSaysStorage = 2;  // otherwise the next one
constexpr uint64_t kSaysOffset = 4;   // otherwise 0
constexpr int kFlagBits = 3;

constexpr size_t kMostNames = size_t{256} << 20;  // bytes, of a table
constexpr int64_t kMostElements = int64_t{1} << 56;

absl::Status Bad(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("a table of weights that nobody wrote: ", what));
}

// Everything that makes a form what it is.
std::string KeyOf(const Form& form) {
  std::string key;
  PutVarint(&key, static_cast<uint64_t>(form.dtype));
  const auto put = [&key](const std::vector<int64_t>& numbers) {
    PutVarint(&key, numbers.size());
    for (const int64_t number : numbers) PutVarint(&key, ZigZag(number));
  };
  put(form.shape);
  PutVarint(&key, ZigZag(form.mesh));
  PutVarint(&key, form.dims.size());
  for (const ShardDim& dim : form.dims) {
    put({dim.dim, static_cast<int64_t>(dim.split), dim.copies, static_cast<int64_t>(dim.along.size())});
    key += dim.along;
  }
  key.push_back(static_cast<char>(form.all));
  for (const Range& range : form.part) put({range.begin, range.end});
  key.push_back(static_cast<char>(form.packed));
  put(form.strides);
  return key;
}

// Collects the forms and meshes of a table, each once.
class Forms {
 public:
  Forms(WireTable* table, int rank) : table_(*table), rank_(rank) {}

  uint32_t NumberOf(const WeightSet::Placed& placed, DType dtype) {
    Form form = FormOf(placed, dtype);
    const auto [known, added] = known_.emplace(KeyOf(form), static_cast<uint32_t>(table_.forms.size()));
    if (added) table_.forms.push_back(std::move(form));
    return known->second;
  }

 private:
  Form FormOf(const WeightSet::Placed& placed, DType dtype) {
    const Piece& piece = placed.piece;
    Form form{.dtype = dtype, .shape = piece.shape, .packed = placed.packed};
    if (!placed.packed) form.strides = placed.strides;
    // A shard of another rank than the one that has it follows from nothing: its box is written.
    const bool regular = piece.shard.dims().empty() || piece.shard.rank() == rank_;
    if (regular && !piece.shard.dims().empty()) {
      form.mesh = MeshOf(piece.shard.mesh());
      form.dims = piece.shard.dims();
    }
    form.part = placed.box;
    if (regular) form.part = piece.part;
    form.all = form.part == Whole(ExtentsOf(regular ? piece.shard.BoxOf(piece.shape) : Whole(piece.shape)));
    if (form.all) form.part.clear();
    return form;
  }

  int32_t MeshOf(const DeviceMesh& mesh) {
    auto known = std::find(table_.meshes.begin(), table_.meshes.end(), mesh);
    if (known == table_.meshes.end()) known = table_.meshes.insert(known, mesh);
    return static_cast<int32_t>(known - table_.meshes.begin());
  }

  WireTable& table_;
  const int rank_;
  absl::flat_hash_map<std::string, uint32_t> known_;
};

absl::Status CheckForm(const WireTable& table, const Form& form) {
  const size_t dims = form.shape.size();
  if (static_cast<int>(form.dtype) >= kDTypeCount || dims > WeightSet::kMostDims) return Bad("a dtype or shape");
  int64_t elements = 1;
  for (const int64_t size : form.shape) {
    if (size < 0 || __builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) || elements > kMostElements)
      return Bad("a shape");
  }
  if (form.mesh >= static_cast<int64_t>(table.meshes.size()) || (form.mesh < 0) != form.dims.empty()) {
    return Bad("a mesh's number");
  }
  for (const ShardDim& dim : form.dims) {
    if (dim.dim < 0 || static_cast<size_t>(dim.dim) >= dims || dim.split > Split::kChunks) return Bad("a dimension");
  }
  if (form.all ? !form.part.empty() : form.part.size() != dims) return Bad("a part");
  if (form.packed ? !form.strides.empty() : form.strides.size() != dims) return Bad("strides");
  for (const int64_t stride : form.strides) {
    if (stride > kMostElements || stride < -kMostElements) return Bad("strides");
  }
  return absl::OkStatus();
}

// That offsets within it can be computed.
absl::Status CheckReach(const View& view) {
  int64_t reach = 0;
  for (size_t i = 0; i < view.box.size(); ++i) {
    int64_t along = 0;
    if (__builtin_mul_overflow(std::abs(view.strides[i]), view.box[i].size(), &along) ||
        __builtin_add_overflow(reach, along, &reach) || reach > kMostElements)
      return Bad("strides");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WireTable> TableOf(const WeightSet& set, int rank) {
  TWINKLE_RETURN_IF_ERROR(set.status());
  WireTable table;
  NameWriter names;
  Forms forms(&table, rank);
  std::vector<uint32_t> last;  // by text: the form of the last entry
  uint32_t next = 0;
  for (const WeightSet::Placed& placed : set.pieces()) {
    const auto storage = static_cast<uint32_t>(placed.storage);
    const uint32_t text = names.TextOf(placed.piece.tensor);
    const uint32_t form = forms.NumberOf(placed, set.storages()[placed.storage].tensor.dtype());
    if (last.size() < names.texts().size()) last.resize(names.texts().size(), UINT32_MAX);
    uint64_t says = 0;
    if (form != last[text]) says |= kSaysForm;
    if (storage != next) says |= kSaysStorage;
    if (placed.offset != 0) says |= kSaysOffset;
    PutVarint(&table.entries, uint64_t{text} << kFlagBits | says);
    names.WriteNumbers(&table.entries);
    if ((says & kSaysForm) != 0) PutVarint(&table.entries, form);
    if ((says & kSaysStorage) != 0) PutVarint(&table.entries, storage);
    if ((says & kSaysOffset) != 0) PutVarint(&table.entries, ZigZag(placed.offset));
    last[text] = form;
    next = storage + 1;
  }
  table.texts = names.texts();
  return table;
}

absl::StatusOr<Table> Table::Read(WireTable wire) {
  Table table;
  table.wire_ = std::move(wire);
  for (const DeviceMesh& mesh : table.wire_.meshes) TWINKLE_RETURN_IF_ERROR(mesh.Validate());
  for (const Form& form : table.wire_.forms) TWINKLE_RETURN_IF_ERROR(CheckForm(table.wire_, form));
  TWINKLE_RETURN_IF_ERROR(table.ReadEntries());
  table.wire_.entries = std::string();
  return table;
}

absl::Status Table::ReadEntries() {
  VarintReader in(wire_.entries);
  NameReader names(wire_.texts);
  std::vector<uint64_t> last(wire_.texts.size(), UINT64_MAX);
  ends_.push_back(0);
  uint64_t next = 0;
  while (!in.done()) {
    uint64_t head = 0;
    if (!in.Read(&head) || !names.Read(head >> kFlagBits, in, &names_)) return Bad("a name");
    if (names_.size() > kMostNames) return Bad("names that are too long");
    uint64_t& form = last[head >> kFlagBits];
    uint64_t storage = next;
    uint64_t offset = 0;
    if ((head & kSaysForm) != 0 && !in.Read(&form)) return Bad("an entry");
    if ((head & kSaysStorage) != 0 && !in.Read(&storage)) return Bad("an entry");
    if ((head & kSaysOffset) != 0 && !in.Read(&offset)) return Bad("an entry");
    const int64_t first = UnZigZag(offset);
    if (form >= wire_.forms.size() || storage >= UINT32_MAX || first > kMostElements || first < -kMostElements) {
      return Bad("an entry");
    }
    entries_.push_back({static_cast<uint32_t>(form), static_cast<uint32_t>(storage), first});
    ends_.push_back(static_cast<uint32_t>(names_.size()));
    next = storage + 1;
  }
  return absl::OkStatus();
}

absl::StatusOr<View> Table::ViewOf(uint32_t number, int rank) const {
  const Form& form = wire_.forms[number];
  View view{Whole(form.shape), form.strides};
  if (form.mesh >= 0) {
    const TensorShard shard = TensorShard::Of(wire_.meshes[static_cast<size_t>(form.mesh)], rank, form.dims);
    TWINKLE_RETURN_IF_ERROR(shard.status());
    view.box = shard.BoxOf(form.shape);
  }
  if (!form.all) {
    for (const Range& range : form.part) {
      if (range.begin < 0 || range.end < range.begin || range.end > kMostElements) return Bad("a part");
    }
    const Box part = Within(view.box, form.part);
    if (!Contains(view.box, part)) return Bad("a part outside its shard");
    view.box = part;
  }
  if (form.packed) view.strides = PackedStrides(ExtentsOf(view.box));
  TWINKLE_RETURN_IF_ERROR(CheckReach(view));
  return view;
}

}  // namespace twinkle::weights
