// The codec: encode, decode, rows, slice, take, concatenate, snapshot and fingerprint. Each is one function over all
// types, by the value's Type.
//
// All are pure functions without locks. Several threads may use the same constant value. No exception of a user's code
// leaves them: it becomes Unknown, and a lack of memory becomes ResourceExhausted. The encoded form has a head, in
// which small things stand one after another, and buffers: large contiguous parts, which are referred to and not
// copied.
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

// A value with its type. Null value: there is none (the result of void).
struct Described {
  const Type* type = nullptr;
  std::shared_ptr<const void> value;  // shared by the object table, lazies and encoded buffers
};

// A run of bytes that is referred to.
struct Buffer {
  const std::byte* data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> owner;  // keeps `data` alive; null: the caller does. The bytes never change
};
// A missing buffer: a shortage kept its bytes from coming. It has no data, and whoever needs them gets `why`.
Buffer Missing(size_t size, const absl::Status& why);
// OK: the buffer has its bytes. Otherwise the status of a missing buffer.
absl::Status CheckThere(const Buffer& buffer);

// An encoded value.
struct Encoded {
  std::string head;
  std::vector<Buffer> buffers;
  size_t bytes() const;  // of head and buffers
};

// A node of the tree of a value's rows, which is kept in preorder. Structs, dicts with string keys, and what optionals
// and variants hold are nodes with children (kTree). Lists and tensors are leaves with a number of rows. Everything
// else has no rows, and goes to everybody (kWhole).
struct RowNode {
  enum class Kind : uint8_t { kWhole, kList, kTensor, kTree };
  Kind kind = Kind::kWhole;
  std::string key;    // of an entry of a dict; otherwise empty
  int64_t rows = -1;  // of a list or tensor; otherwise -1
  uint32_t children = 0;
  bool operator==(const RowNode&) const = default;
};
using Rows = std::vector<RowNode>;

// The most levels of nested values, which is a contract of the wire. Each list, struct, map, optional and so on is a
// level, and what it holds is one more. Numbers, and structs of nothing else, are no level.
inline constexpr int kMostLevels = 64;
inline constexpr char kTooDeep[] =
    "nested too deep: at most 64 lists, structs, maps and the like can stand within each other; send a flat list of "
    "nodes that name each other by index, or give the type a serialize() that writes one";

// Limits of decoding. `depth`: levels. `bytes`: memory beyond the buffers that are shared; 0: four times the encoded
// size, and 1 GiB.
struct Limits {
  int depth = kMostLevels;
  size_t bytes = 0;
  // Whether the value is a message, which another build may have sent: a struct, or a variant of structs. Members that
  // it has beyond the known ones are skipped. Members that are missing at its end keep their values. The members
  // themselves must be complete.
  bool open_ended = false;
};

// Contiguous parts of at least this many bytes become buffers.
inline constexpr size_t kOutOfBand = 2048;

// Encodes a value; its buffers keep it alive. `ranges`, if given, has one range for each leaf of RowsOf(value), in
// order, and only those rows are encoded. `out_of_band`: contiguous parts of at least that many bytes become buffers.
// `expected`: bytes of the head, for which memory is taken at once. InvalidArgument: the value is nested too deep, a
// variant has no value, a range is outside the value, or there are too few or too many ranges.
absl::StatusOr<Encoded> Encode(const Described& value, const std::vector<Range>* ranges = nullptr,
                               size_t out_of_band = kOutOfBand, size_t expected = 0);

// Encodes a variant that holds `value` as its alternative `which`. The result keeps nothing alive: parts without an
// owner of their own are copied. Errors as Encode.
absl::StatusOr<Encoded> EncodeAlternative(const Type& variant, size_t which, const void* value,
                                          size_t out_of_band = kOutOfBand, size_t expected = 0);

// Decodes a value. Tensors, Bytes and Arrays share the memory of the buffers. InvalidArgument: the bytes are truncated,
// left over, of another type, too deep or beyond the limits. Other errors: the status of a missing buffer, unless that
// becomes Bytes, and what a user's Codec<T> returns. After an error the value is valid, but unspecified.
absl::Status Decode(const Type& type, void* value, std::string_view head, std::span<const Buffer> buffers,
                    const Limits& limits = {});

// The rows of a value. `value` is null only for an absent value, whose tree is one kWhole node.
Rows RowsOf(const Type& type, const void* value);
// The number of leaves of a tree of rows, its lists and tensors: so many ranges the value takes.
size_t LeafCount(const Rows& rows);
// The number of rows as a user counts them: of the list or tensor, or of all those in a tree. InvalidArgument: there
// are none, or they differ.
absl::StatusOr<int64_t> CommonRows(const Rows& rows);

// Copies the rows in `ranges` (as for Encode) of `from` to `to`. Tensors and Arrays share memory. InvalidArgument: as
// Encode, or the type cannot be copied.
absl::Status Slice(const Type& type, void* to, const void* from, const std::vector<Range>& ranges);

// Copies the rows of `picks`, one range after another. All lists and tensors of `from` must have the same number of
// rows. Errors as Slice; for several ranges also as Concatenate.
absl::Status Take(const Type& type, void* to, const void* from, const std::vector<Range>& picks);

// A member of a struct, or of a struct in it and so on.
struct MemberPlace {
  void* object = nullptr;
  const Type* type = nullptr;
};
// The member at `path`, which holds the number of each member in the order of declaration. Nothing: there is none.
std::optional<MemberPlace> MemberAt(const Type& type, void* object, const std::vector<uint32_t>& path);
// The member as a value of its own, which shares the whole one's memory. InvalidArgument: there is none.
absl::StatusOr<Described> Member(const Described& value, const std::vector<uint32_t>& path);
// The rows of the member at `path`, out of the rows of the whole value.
Rows Subtree(const Rows& rows, const std::vector<uint32_t>& path);

// Padding for tensors of different inner shapes. Not given: such tensors are not joined.
struct Padding {
  bool given = false;
  double value = 0;
};

// Joins the items of the parts, one level deep, into `to`, a value of the same type (Collect::kFlatten). With `move`
// items may be moved out of the parts. InvalidArgument with a reason: not_iterable, not_flattenable, key_mismatch or
// ragged.
absl::Status Concatenate(const Type& type, void* to, const std::vector<void*>& parts, bool move,
                         const Padding& padding = {});
// Joins tensors along the first dimension, with dtypes promoted as NumPy does. Errors as Concatenate, and
// ResourceExhausted.
absl::StatusOr<Tensor> ConcatenateTensors(const std::vector<const Tensor*>& parts, const Padding& padding);

// Makes a value independent of all others: copies each tensor that is not frozen and whose memory others hold.
// InvalidArgument: it is nested too deep to be sent.
absl::Status Snapshot(const Type& type, void* value);

// A hash of a type. It is equal for types with the same layout on the wire and the same names of members' types, in
// whatever program.
uint64_t Fingerprint(const Type& type);

// A value in words, for messages: "a list of 3", "a tensor of shape 2x3".
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
