// What weights a rank has, without the weights: what others plan with.
//
// A table says nothing that ranks of a regular layout differ in. Each form has a mesh and dimensions, out of which the
// box of any rank follows; boxes as such are only written where they are irregular. So ranks that have the same tensors
// have the same bytes of table, which travel and are read once.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/weight_set.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twinkle::weights {

// What many tensors have in common: everything but name and place. On the wire.
struct Form {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape = {};    // of the whole tensor
  int32_t mesh = -1;                  // of the table's; -1: `dims` is empty
  std::vector<ShardDim> dims = {};    // how it is dealt
  bool all = true;                    // of the rank's shard; otherwise `part`
  Box part = {};                      // counted within the shard
  bool packed = true;                 // the elements lie as those of a row-major tensor; otherwise `strides`
  std::vector<int64_t> strides = {};  // in elements, along the dimensions of the tensor
};

// On the wire, as a value of the codec. Each of the entries is a text, the numbers in its gaps, a form, a storage and
// an offset. Of one text they are written as differences to what would go on as the last two did: most need one byte.
struct WireTable {
  std::vector<DeviceMesh> meshes;
  std::vector<Form> forms;
  std::vector<std::string> texts;  // of names
  std::string entries;             // a head for each, and what that says
};

// A tensor's part in a storage of the rank.
struct Entry {
  uint32_t form = 0;
  uint32_t storage = 0;  // in the order of WeightSet::storages()
  int64_t offset = 0;    // of its first element there, in elements
};

// Where a form's elements are on one rank: the box in the whole tensor, and the strides along its dimensions.
struct View {
  Box box;
  std::vector<int64_t> strides;
};

// The table of `set`, of the component's rank `rank`. InvalidArgument: set.status(), or a name that CheckName refuses.
absl::StatusOr<WireTable> TableOf(const WeightSet& set, int rank);

// A table that came from another process, checked. Immutable, so threads may share it.
class Table {
 public:
  // InvalidArgument: nobody wrote this.
  static absl::StatusOr<Table> Read(WireTable wire);

  size_t size() const { return entries_.size(); }
  const Entry& entry(size_t i) const { return entries_[i]; }
  std::string_view name(size_t i) const { return std::string_view(names_).substr(ends_[i], ends_[i + 1] - ends_[i]); }
  const std::vector<Form>& forms() const { return wire_.forms; }

  // Where that form is on a rank. InvalidArgument: the mesh has no such rank, the part is not in its shard, or strides
  // lead out of any memory.
  absl::StatusOr<View> ViewOf(uint32_t form, int rank) const;

 private:
  absl::Status ReadEntries();

  WireTable wire_;
  std::vector<Entry> entries_;
  std::string names_;           // one after another
  std::vector<uint32_t> ends_;  // ends_[i]: the end of the name before the i-th
};

}  // namespace twinkle::weights
