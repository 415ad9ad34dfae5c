#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <map>
#include <type_traits>

#include "runtime/base/status.h"
#include "runtime/codec/codec.h"
#include "runtime/codec/dtype.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/flatten_value.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

absl::Status NotFlattenable(const Type& type, const void* part) {
  return base::Refuse(
      "not_flattenable",
      absl::StrCat("only lists, tensors and string-keyed maps or structs of them can be joined, and this is ",
                   Describe(type, part), ": put lists and tensors that belong together into a struct"));
}

absl::Status Join(const Type& t, void* to, const std::vector<void*>& parts, bool move, const Padding& padding);

absl::Status KeyMismatch(size_t index) {
  return base::Refuse("key_mismatch", absl::StrCat("result ", index, " does not have the same keys as the first"));
}

// ---- typed
absl::Status JoinTensors(Tensor& to, const std::vector<void*>& parts, const Padding& padding) {
  std::vector<const Tensor*> tensors;
  tensors.reserve(parts.size());
  for (void* part : parts) tensors.push_back(&As<Tensor>(part));
  TWINKLE_ASSIGN_OR_RETURN(to, ConcatenateTensors(tensors, padding));
  return absl::OkStatus();
}

absl::Status JoinRecord(const Type& t, void* to, const std::vector<void*>& parts, bool move, const Padding& padding) {
  absl::Status status;
  int index = 0;
  EachMember(t, to, [&](void* member, const Type& type) {
    const ptrdiff_t offset = static_cast<char*>(member) - static_cast<char*>(to);
    std::vector<void*> members;
    members.reserve(parts.size());
    for (void* part : parts) members.push_back(static_cast<char*>(part) + offset);
    if (status.ok())
      status = NotFlattenableAt(absl::StrCat("member ", index), Join(type, member, members, move, padding));
    ++index;
  });
  return status;
}

absl::Status JoinDict(const Type& t, void* to, const std::vector<void*>& parts, bool move, const Padding& padding) {
  if (!t.string_key) return NotFlattenable(t, parts[0]);
  std::map<std::string, std::vector<void*>> values;
  for (void* part : parts) {
    EachEntry(t, part, [&](void* key, void* value) { values[As<std::string>(key)].push_back(value); });
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (t.length(parts[i]) != values.size()) return KeyMismatch(i);
  }
  absl::Status status;
  auto next = values.begin();
  FillEntries(t, to, values.size(), [&](void* key, void* value) {
    As<std::string>(key) = next->first;
    if (status.ok()) status = NotFlattenableAt(next->first, Join(*t.item, value, next->second, move, padding));
    ++next;
    return true;
  });
  return status;
}

absl::Status JoinHeld(const Type& t, void* to, const std::vector<void*>& parts, bool move, const Padding& padding) {
  const size_t which = t.length(parts[0]);
  const bool empty = t.kind == Kind::kOptional ? which == 0 : which >= t.count;
  if (empty) return NotFlattenable(t, parts[0]);
  std::vector<void*> held;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (t.length(parts[i]) != which) {
      return base::Refuse("not_iterable", absl::StrCat("result ", i, " holds something else than the first"));
    }
    held.push_back(t.data(parts[i]));
  }
  const Type& item = t.kind == Kind::kOptional ? *t.item : *t.alternatives[which];
  return Join(item, t.resize(to, which), held, move, padding);
}

absl::Status Join(const Type& t, void* to, const std::vector<void*>& parts, bool move, const Padding& padding) {
  switch (t.kind) {
    case Kind::kList:
    case Kind::kArrayRef:
    case Kind::kBools:
      if (t.resize != nullptr) t.resize(to, 0);  // a default member may have items
      t.join(to, parts.data(), parts.size(), move);
      return absl::OkStatus();
    case Kind::kTensor:
      return JoinTensors(As<Tensor>(to), parts, padding);
    case Kind::kValue:
      return FlattenValues(parts, move, padding, As<Value>(to));
    case Kind::kRecord:
      return JoinRecord(t, to, parts, move, padding);
    case Kind::kDict:
      return JoinDict(t, to, parts, move, padding);
    case Kind::kOptional:
    case Kind::kVariant:
      return JoinHeld(t, to, parts, move, padding);
    default:
      return NotFlattenable(t, parts[0]);
  }
}

// ---- tensors
// Copies `count` elements of `from` to `to`, and converts each through a Wide.
template <class Wide>
void ConvertBy(DType to_dtype, std::byte* to, DType from_dtype, const std::byte* from, int64_t count) {
  constexpr int64_t kBlock = 256;
  std::array<Wide, kBlock> wide;
  for (; count > 0; count -= kBlock) {
    const int64_t block = std::min(count, kBlock);
    WithElementType(from_dtype, [&]<class T>(std::type_identity<T>) {
      const auto* typed = reinterpret_cast<const Stored<T>*>(from);
      std::transform(typed, typed + block, wide.begin(), Widened<Wide, Stored<T>>);
    });
    WithElementType(to_dtype, [&]<class T>(std::type_identity<T>) {
      std::transform(wide.begin(), wide.begin() + block, reinterpret_cast<Stored<T>*>(to), Narrowed<Stored<T>, Wide>);
    });
    from += block * SizeOf(from_dtype);
    to += block * SizeOf(to_dtype);
  }
}

// Copies elements and converts them, if need be to a dtype that Promoted() returned. A double holds every element, or
// what it becomes.
void ConvertElements(DType to_dtype, std::byte* to, DType from_dtype, const std::byte* from, int64_t count) {
  if (to_dtype == from_dtype) {
    if (count > 0) std::memcpy(to, from, static_cast<size_t>(count * SizeOf(to_dtype)));
    return;
  }
  const auto convert = IsComplex(to_dtype) ? ConvertBy<std::complex<double>> : ConvertBy<double>;
  convert(to_dtype, to, from_dtype, from, count);
}

// Fills elements with a number; a bool is true unless it is 0.
void Fill(DType dtype, std::byte* to, int64_t count, double value) {
  if (dtype == DType::kBool) value = value != 0 ? 1 : 0;
  WithElementType(dtype, [&]<class T>(std::type_identity<T>) {
    std::fill_n(reinterpret_cast<Stored<T>*>(to), count, Narrowed<Stored<T>>(value));
  });
}

// Copies dimension `dim` of `from`, and those inside it, into the corner of `to`, whose inner shape may be larger.
std::byte* Place(const Tensor& from, const std::byte* source, DType to_dtype, std::byte* to,
                 const std::vector<int64_t>& to_shape, size_t dim) {
  if (dim + 1 >= from.shape().size()) {
    const int64_t count = dim < from.shape().size() ? from.shape()[dim] : 1;
    ConvertElements(to_dtype, to, from.dtype(), source, count);
    return to;
  }
  int64_t to_stride = SizeOf(to_dtype);
  for (size_t d = dim + 1; d < to_shape.size(); ++d) to_stride *= to_shape[d];
  const int64_t from_stride = from.strides()[dim] * SizeOf(from.dtype());
  for (int64_t i = 0; i < from.shape()[dim]; ++i) {
    Place(from, source + i * from_stride, to_dtype, to + i * to_stride, to_shape, dim + 1);
  }
  return to;
}

absl::Status Ragged(size_t index, const Tensor& part, const std::vector<int64_t>& shape) {
  return base::Refuse("ragged", absl::StrCat("result ", index, " has shape {", absl::StrJoin(part.shape(), ", "),
                                             "}, which does not fit {", absl::StrJoin(shape, ", "),
                                             "}: all but the first dimension must agree (Pad{value} fills up)"));
}

// Whether a tensor is Tensor(), or a copy of it that was sent: it has no rows, and fits every shape and dtype.
bool IsNothing(const Tensor& tensor) {
  return tensor.dtype() == DType::kFloat32 && tensor.shape() == std::vector<int64_t>{0};
}

// Finds the shape and dtype of the joined tensor.
absl::Status Outline(const std::vector<const Tensor*>& parts, const Padding& padding, std::vector<int64_t>& shape,
                     DType& dtype) {
  const auto telling =
      std::find_if_not(parts.begin(), parts.end(), [](const Tensor* part) { return IsNothing(*part); });
  const Tensor& first = telling == parts.end() ? *parts[0] : **telling;
  shape = first.shape();
  dtype = first.dtype();
  int64_t rows = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = *parts[i];
    if (IsNothing(part)) continue;
    if (part.rows() < 0)
      return base::Refuse("not_iterable", absl::StrCat("result ", i, " is a tensor without dimensions"));
    if (part.shape().size() != shape.size()) return Ragged(i, part, shape);
    for (size_t d = 1; d < shape.size(); ++d) {
      if (!padding.given && part.shape()[d] != shape[d]) return Ragged(i, part, shape);
      shape[d] = std::max(shape[d], part.shape()[d]);
    }
    dtype = Promoted(dtype, part.dtype());
    rows += part.rows();
  }
  shape[0] = rows;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Tensor> ConcatenateTensors(const std::vector<const Tensor*>& parts, const Padding& padding) {
  std::vector<int64_t> shape;
  DType dtype;
  TWINKLE_RETURN_IF_ERROR(Outline(parts, padding, shape, dtype));
  TWINKLE_ASSIGN_OR_RETURN(Tensor joined, Tensor::Zeros(dtype, shape));
  if (joined.size() == 0) return joined;
  std::byte* to = const_cast<std::byte*>(joined.raw());  // made above, so nobody shares it yet
  if (padding.given) Fill(dtype, to, joined.size(), padding.value);
  const int64_t row_bytes = joined.bytes() / joined.rows();
  for (const Tensor* part : parts) {
    const Tensor packed = part->Contiguous();
    if (packed.size() > 0) Place(packed, packed.raw(), dtype, to, shape, 0);
    to += packed.rows() * row_bytes;
  }
  return joined;
}

absl::Status Concatenate(const Type& type, void* to, const std::vector<void*>& parts, bool move,
                         const Padding& padding) {
  return Join(type, to, parts, move, padding);
}

}  // namespace twinkle::codec
