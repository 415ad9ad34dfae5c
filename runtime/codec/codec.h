// Encode, decode, rows, slice, concatenate, snapshot and fingerprint: each once, over a value's Type.
//
// Pure functions without locks: two threads may work on the same constant value. Encoded form: a head in which small
// things stand one after another, and buffers, the large contiguous parts, which are only referred to.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/internal/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/mesh/share.h"

namespace twinkle::codec {

using internal::Type;
using mesh::Range;

// A described value. Null value: absent (the result of void).
struct Described {
  const Type* type = nullptr;
  std::shared_ptr<const void> value;  // several readers own it: the object table, lazies and encoded buffers
};

struct Buffer {
  const std::byte* data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> owner;  // keeps `data` alive; its bytes never change
};
// One whose bytes a shortage kept from coming: without data, and what asks for them gets that status.
Buffer Missing(size_t size, const absl::Status& why);
absl::Status CheckThere(const Buffer& buffer);

struct Encoded {
  std::string head;
  std::vector<Buffer> buffers;
  size_t bytes() const;  // head and buffers
};

// One node of the tree of a value's rows, in preorder. Structs, string-keyed dicts, and what optionals and variants
// hold are nodes with children; lists and tensors are leaves with a number of rows; all else has none and goes to
// everybody.
struct RowNode {
  enum class Kind : uint8_t { kWhole, kList, kTensor, kTree };
  Kind kind = Kind::kWhole;
  std::string key;    // of a dict's entry
  int64_t rows = -1;  // lists and tensors
  uint32_t children = 0;
  bool operator==(const RowNode&) const = default;
};
using Rows = std::vector<RowNode>;

// How many values may stand within each other: a contract of the wire. Each list, struct, map, optional and so on is a
// level, and what it holds is one more. Numbers, and structs of nothing else, are none.
inline constexpr int kMostLevels = 64;
inline constexpr char kTooDeep[] =
    "nested too deep: at most 64 lists, structs, maps and the like can stand within each other; send a flat list of "
    "nodes that name each other by index, or give the type a serialize() that writes one";

// What decoding may cost: nesting, and bytes of memory beyond the buffers that are shared. bytes 0: four times what
// came in, and 1 GiB.
struct Limits {
  int depth = kMostLevels;
  size_t bytes = 0;
  // For a message, a struct or a variant of structs, of another build perhaps: members that it has behind those that
  // are known are skipped, and those that it lacks at its end stay as they are. What is in its members is as it must
  // be.
  bool open_ended = false;
};

// Contiguous parts from this size on become buffers.
inline constexpr size_t kOutOfBand = 2048;

// The buffers keep `value` alive. InvalidArgument: nested too deep, a variant without a value, a range outside a value,
// or too few or too many ranges. `ranges`, when given, has one range for each leaf of RowsOf(value), in order: only
// those rows are encoded. Memory for a head of `expected` bytes is taken at once.
absl::StatusOr<Encoded> Encode(const Described& value, const std::vector<Range>* ranges = nullptr,
                               size_t out_of_band = kOutOfBand, size_t expected = 0);

// As Encode of a variant that holds `value` as its alternative `which`, but it keeps nothing alive: what would be
// referred to and has no owner of its own is copied.
absl::StatusOr<Encoded> EncodeAlternative(const Type& variant, size_t which, const void* value,
                                          size_t out_of_band = kOutOfBand, size_t expected = 0);

// InvalidArgument for bytes that are truncated, left over, of another type, too deep or larger than the limits; the
// status of a buffer that is missing, unless it becomes Bytes. Tensors, Bytes and Arrays share the buffers' memory.
absl::Status Decode(const Type& type, void* value, std::string_view head, std::span<const Buffer> buffers,
                    const Limits& limits = {});

// `value` may be null only for an absent one, whose tree is one kWhole node.
Rows RowsOf(const Type& type, const void* value);
// The number of ranges such a value takes: its lists and tensors.
size_t LeafCount(const Rows& rows);
// The rows a user counts: of the list or tensor, or common to all those in a tree. InvalidArgument when there are none
// or they differ.
absl::StatusOr<int64_t> CommonRows(const Rows& rows);

// The rows in `ranges` (as for Encode) of `from`. Tensors and Arrays share memory. InvalidArgument as for Encode, and
// for a type that cannot be copied.
absl::Status Slice(const Type& type, void* to, const void* from, const std::vector<Range>& ranges);

// The rows of those ranges, one after another, of a value of which all lists and tensors have the same rows. Errors as
// for Slice; several ranges: and for Concatenate.
absl::Status Take(const Type& type, void* to, const void* from, const std::vector<Range>& picks);

// A member of a struct, of a struct in it and so on: `path` has the number of each, in the order of declaration.
struct MemberPlace {
  void* object = nullptr;
  const Type* type = nullptr;
};
std::optional<MemberPlace> MemberAt(const Type& type, void* object, const std::vector<uint32_t>& path);
// It shares the value. InvalidArgument: there is none.
absl::StatusOr<Described> Member(const Described& value, const std::vector<uint32_t>& path);
// The rows of that member.
Rows Subtree(const Rows& rows, const std::vector<uint32_t>& path);

// How tensors whose inner shapes differ are joined.
struct Padding {
  bool given = false;
  double value = 0;
};

// The parts' items, one level, in a value of the same type (Collect::kFlatten). Errors carry the reasons not_iterable,
// not_flattenable, key_mismatch, ragged. With `move` the parts' items may be moved out.
absl::Status Concatenate(const Type& type, void* to, const std::vector<void*>& parts, bool move,
                         const Padding& padding = {});
// The same for tensors: along the first dimension, dtypes promoted as numpy does.
absl::StatusOr<Tensor> ConcatenateTensors(const std::vector<const Tensor*>& parts, const Padding& padding);

// Makes the value independent of everybody else: tensors whose memory others hold and that are not frozen are copied.
// InvalidArgument when it is nested too deep to be sent.
absl::Status Snapshot(const Type& type, void* value);

// Equal for types with the same layout on the wire and the same names of members' types, whatever program they are in.
uint64_t Fingerprint(const Type& type);

// A sentence fragment about what a value is: "a list of 3", "a tensor of shape 2x3".
std::string Describe(const Type& type, const void* value);

// ---- typed shorthands, for code that knows the type
template <class T>
Described Hold(T value) {
  return {&internal::kType<T>, std::make_shared<T>(std::move(value))};
}
template <class T>
absl::StatusOr<T> DecodeAs(std::string_view head, std::span<const Buffer> buffers, const Limits& limits = {}) {
  T value{};
  absl::Status status = Decode(internal::kType<T>, &value, head, buffers, limits);
  if (!status.ok()) return status;
  return value;
}

}  // namespace twinkle::codec
