#include "runtime/weights/table.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/weights/box.h"
#include "runtime/weights/names.h"
#include "runtime/weights/varints.h"

namespace twinkle::weights {
namespace {

// What an entry says besides its text. A contract of the wire.
constexpr uint64_t kSaysForm = 1;    // otherwise that of the last entry with the same text
constexpr uint64_t kSaysValues = 2;  // otherwise they are as expected
constexpr int kFlagBits = 2;

constexpr size_t kMostNames = size_t{256} << 20;  // bytes, of a table
constexpr int64_t kMostElements = int64_t{1} << 56;

absl::Status Bad(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("a table of weights that nobody wrote: ", what));
}

// The entries of one text: their form, and their values, which are the numbers in its gaps, storage and offset. Values
// are expected to grow as they did.
struct Series {
  explicit Series(size_t values = 0) : last(values), step(values) {}

  // Wraps around, as those of nobody's tables may.
  int64_t Expected(size_t i) const {
    return static_cast<int64_t>(static_cast<uint64_t>(last[i]) + static_cast<uint64_t>(step[i]));
  }
  bool AreExpected(const std::vector<int64_t>& values) const {
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] != Expected(i)) return false;
    }
    return true;
  }
  void Next(size_t i, int64_t value) {
    if (begun) step[i] = static_cast<int64_t>(static_cast<uint64_t>(value) - static_cast<uint64_t>(last[i]));
    last[i] = value;
  }

  uint64_t form = UINT64_MAX;
  bool begun = false;
  std::vector<int64_t> last;
  std::vector<int64_t> step;
};

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
  NameTexts names;
  Forms forms(&table, rank);
  std::vector<Series> all;  // by text
  std::vector<int64_t> values;
  for (const WeightSet::Placed& placed : set.pieces()) {
    const uint32_t text = names.Split(placed.piece.tensor, &values);
    const uint32_t form = forms.NumberOf(placed, set.storages()[placed.storage].tensor.dtype());
    values.push_back(static_cast<int64_t>(placed.storage));
    values.push_back(placed.offset);
    if (text == all.size()) all.emplace_back(values.size());
    Series& series = all[text];
    uint64_t says = 0;
    if (form != series.form) says |= kSaysForm;
    if (!series.AreExpected(values)) says |= kSaysValues;
    PutVarint(&table.entries, uint64_t{text} << kFlagBits | says);
    if ((says & kSaysForm) != 0) PutVarint(&table.entries, form);
    for (size_t i = 0; i < values.size(); ++i) {
      if ((says & kSaysValues) != 0) PutVarint(&table.entries, ZigZag(values[i] - series.Expected(i)));
      series.Next(i, values[i]);
    }
    series.form = form;
    series.begun = true;
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
  std::vector<Series> all;
  for (const std::string& text : wire_.texts) all.emplace_back(GapsOf(text) + 2);
  ends_.push_back(0);
  while (!in.done()) {
    uint64_t head = 0;
    if (!in.Read(&head) || head >> kFlagBits >= all.size()) return Bad("an entry's text");
    const std::string& text = wire_.texts[head >> kFlagBits];
    Series& series = all[head >> kFlagBits];
    if ((head & kSaysForm) != 0 && !in.Read(&series.form)) return Bad("an entry");
    for (size_t i = 0; i < series.last.size(); ++i) {
      uint64_t difference = 0;
      if ((head & kSaysValues) != 0 && !in.Read(&difference)) return Bad("an entry");
      series.Next(i, static_cast<int64_t>(static_cast<uint64_t>(series.Expected(i)) +
                                          static_cast<uint64_t>(UnZigZag(difference))));
    }
    series.begun = true;
    const size_t gaps = series.last.size() - 2;
    const int64_t storage = series.last[gaps];
    const int64_t offset = series.last[gaps + 1];
    if (series.form >= wire_.forms.size() || storage < 0 || storage >= UINT32_MAX || offset > kMostElements ||
        offset < -kMostElements)
      return Bad("an entry");
    if (!AppendName(text, std::span(series.last).first(gaps), &names_) || names_.size() > kMostNames) {
      return Bad("a name");
    }
    entries_.push_back({static_cast<uint32_t>(series.form), static_cast<uint32_t>(storage), offset});
    ends_.push_back(static_cast<uint32_t>(names_.size()));
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
