#include "runtime/dispatch/reduce.h"

#include <absl/numeric/int128.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/base/status.h"
#include "runtime/codec/dtype.h"
#include "runtime/codec/each_entry.h"
#include "runtime/dispatch/numbers.h"

namespace twinkle::dispatch {
namespace {

using internal::As;
using internal::Kind;
using internal::NumberKind;
using internal::Type;

bool IsNumber(const Type& type) { return FormatOf(type).has_value(); }

// The dtype of a sum or mean that is no integer.
DType FloatOf(DType dtype) {
  if (!codec::IsFloating(dtype)) return DType::kFloat64;
  return codec::IsFloat8(dtype) ? DType::kFloat32 : dtype;
}

double RoundTo(DType dtype, double number) {
  return codec::WithElementType(
      dtype, [&]<class T>(std::type_identity<T>) { return codec::Widened<double>(codec::Narrowed<T>(number)); });
}

// Walks the parts once, adding up the numbers and comparing shapes. Integers are added exactly:
// only the end result counts as an overflow, whatever the order.
class Reducer {
 public:
  explicit Reducer(bool mean) : mean_(mean) {}

  void Add(size_t index, const Type& type, const void* part) {
    index_ = index;
    part_type_ = &type;
    part_ = part;
    Go(type, part, 0);
  }
  absl::StatusOr<Reduced> Result() const;

 private:
  absl::StatusOr<Reduced> IntegerSum(DType dtype) const;

  // Each of these takes what stands at `depth` dimensions from the outside.
  void Go(const Type& type, const void* p, size_t depth);
  void GoItems(const Type& item, const void* items, size_t count, size_t depth);
  void GoBools(const std::string& bytes, size_t depth);
  void GoTuple(const Type& type, const void* p, size_t depth);
  void GoTensor(const Tensor& tensor, size_t depth);
  void GoValue(const Value& value, size_t depth);
  void GoHeld(const Type& type, const void* p, size_t depth);

  template <class T>
  void Sum(const T* numbers, size_t count);
  void AddNumbers(const Type& type, const void* numbers, size_t count);
  void CountElements(DType dtype, int64_t count);

  // The shape is that of the first path to a number; every other path must follow it.
  void Dimension(size_t depth, size_t length);
  void Element(size_t depth);

  void NotNumeric(const Type& type, const void* p);
  void Ragged();

  const bool mean_;

  absl::int128 integers_ = 0;
  double floats_ = 0;
  int64_t count_ = 0;
  std::optional<DType> dtype_;

  std::vector<size_t> shape_;
  bool shape_complete_ = false;

  size_t index_ = 0;  // of the part at hand
  const Type* part_type_ = nullptr;
  const void* part_ = nullptr;
  absl::Status not_numeric_, ragged_;  // the first of each
};

void Reducer::Go(const Type& type, const void* p, size_t depth) {
  if (IsNumber(type)) {
    Element(depth);
    return AddNumbers(type, p, 1);
  }
  switch (type.kind) {
    case Kind::kList:
    case Kind::kArrayRef: {
      const size_t count = type.length(p);
      return GoItems(*type.item, count == 0 ? nullptr : type.data(codec::Mutable(p)), count, depth);
    }
    case Kind::kArray:
      return GoItems(*type.item, p, type.count, depth);
    case Kind::kBools:
      return GoBools(type.to_bytes(p), depth);
    case Kind::kTuple:
      return GoTuple(type, p, depth);
    case Kind::kTensor:
      return GoTensor(As<Tensor>(p), depth);
    case Kind::kValue:
      return GoValue(As<Value>(p), depth);
    case Kind::kOptional:
    case Kind::kVariant:
      return GoHeld(type, p, depth);
    case Kind::kForeign:
      return Go(*type.item, type.to_wire(p).get(), depth);
    default:
      return NotNumeric(type, p);
  }
}

void Reducer::GoItems(const Type& item, const void* items, size_t count, size_t depth) {
  Dimension(depth, count);
  if (count == 0) return Element(depth + 1);
  if (IsNumber(item)) {
    Element(depth + 1);
    return AddNumbers(item, items, count);
  }
  const char* at = static_cast<const char*>(items);
  for (size_t i = 0; i < count; ++i) Go(item, at + i * item.size, depth + 1);
}

void Reducer::GoBools(const std::string& bytes, size_t depth) {
  Dimension(depth, bytes.size());
  Element(depth + 1);
  AddNumbers(internal::kType<bool>, bytes.data(), bytes.size());
}

void Reducer::GoTuple(const Type& type, const void* p, size_t depth) {
  Dimension(depth, type.count);
  if (type.count == 0) Element(depth + 1);
  codec::EachMember(type, codec::Mutable(p),
                    [&](void* member, const Type& member_type) { Go(member_type, member, depth + 1); });
}

void Reducer::GoTensor(const Tensor& tensor, size_t depth) {
  for (int64_t length : tensor.shape()) Dimension(depth++, static_cast<size_t>(length));
  Element(depth);
  CountElements(tensor.dtype(), tensor.size());
  const auto format = FormatOf(tensor.dtype());
  if (!format) return NotNumeric(internal::kType<Tensor>, &tensor);
  if (tensor.size() == 0) return;
  const Tensor packed = tensor.Contiguous();
  WithNumbers(*format, packed.raw(), [&](const auto* elements) { Sum(elements, static_cast<size_t>(packed.size())); });
}

void Reducer::GoValue(const Value& value, size_t depth) {
  if (const auto* truth = value.get_if<bool>()) {
    Go(internal::kType<bool>, truth, depth);
  } else if (const auto* integer = value.get_if<int64_t>()) {
    Go(internal::kType<int64_t>, integer, depth);
  } else if (const auto* number = value.get_if<double>()) {
    Go(internal::kType<double>, number, depth);
  } else if (const auto* list = value.get_if<Value::List>()) {
    GoItems(internal::kType<Value>, list->data(), list->size(), depth);
  } else if (const auto* tuple = value.get_if<Value::Tuple>()) {
    GoItems(internal::kType<Value>, tuple->items.data(), tuple->items.size(), depth);
  } else if (const auto* tensor = value.get_if<Tensor>()) {
    GoTensor(*tensor, depth);
  } else {
    NotNumeric(internal::kType<Value>, &value);
  }
}

void Reducer::GoHeld(const Type& type, const void* p, size_t depth) {
  const size_t which = type.length(p);
  if (type.kind == Kind::kOptional) {
    if (which == 0) return NotNumeric(type, p);
    return Go(*type.item, type.data(codec::Mutable(p)), depth);
  }
  if (which >= type.count) return NotNumeric(type, p);
  Go(*type.alternatives[which], type.data(codec::Mutable(p)), depth);
}

template <class T>
void Reducer::Sum(const T* numbers, size_t count) {
  absl::int128 integers = 0;
  double floats = 0;
  for (size_t i = 0; i < count; ++i) {
    T number;
    std::memcpy(&number, numbers + i, sizeof(T));  // it may be a long long where T is a long
    if constexpr (std::is_integral_v<T>) {
      integers += number;
    } else {
      floats += codec::Widened<double>(number);
    }
  }
  integers_ += integers;
  floats_ += floats;
}

void Reducer::AddNumbers(const Type& type, const void* numbers, size_t count) {
  const DType dtype = type.number == NumberKind::kFloat  ? DType::kFloat64
                      : type.number == NumberKind::kBool ? DType::kBool
                                                         : DType::kInt64;
  CountElements(dtype, static_cast<int64_t>(count));
  WithNumbers(*FormatOf(type), numbers, [&](const auto* typed) { Sum(typed, count); });
}

void Reducer::CountElements(DType dtype, int64_t count) {
  dtype_ = dtype_ ? codec::Promoted(*dtype_, dtype) : dtype;
  count_ += count;
}

void Reducer::Dimension(size_t depth, size_t length) {
  if (depth < shape_.size()) {
    if (shape_[depth] != length) Ragged();
  } else if (shape_complete_) {
    Ragged();
  } else {
    shape_.push_back(length);
  }
}

void Reducer::Element(size_t depth) {
  if (depth != shape_.size()) Ragged();
  shape_complete_ = true;
}

void Reducer::NotNumeric(const Type& type, const void* p) {
  if (!not_numeric_.ok()) return;
  const std::string found = codec::Describe(type, p);
  const char* const only = type.kind == Kind::kTensor  // others than complex ones are numbers
                               ? ": complex numbers cannot be "
                               : ": only numbers, and lists and tensors of numbers, can be ";
  not_numeric_ = base::Refuse("not_numeric", absl::StrCat(p == part_ ? "" : "an element of ", "result ", index_, " is ",
                                                          found, only, mean_ ? "averaged" : "summed"));
}

void Reducer::Ragged() {
  if (!ragged_.ok()) return;
  ragged_ = base::Refuse("ragged",
                         absl::StrCat("result ", index_, ", ", codec::Describe(*part_type_, part_), ", ",
                                      "is uneven in itself or shaped differently from the results before it: to be ",
                                      mean_ ? "averaged" : "summed", ", all must have one shape"));
}

absl::StatusOr<Reduced> Reducer::IntegerSum(DType dtype) const {
  constexpr auto kLimits = std::numeric_limits<int64_t>();
  const bool is_unsigned = internal::FactsOf(dtype).kind == internal::DTypeKind::kUnsigned;
  if (integers_ > kLimits.max() || integers_ < kLimits.min()) {
    return base::Refuse("overflow", absl::StrCat("the sum of ", count_,
                                                 " integers does not fit into 64 bits: sum "
                                                 "floats, or smaller numbers"));
  }
  return Reduced{.integer = true,
                 .as_integer = static_cast<int64_t>(integers_),
                 .type = DTypeName(is_unsigned ? DType::kUint64 : DType::kInt64)};
}

absl::StatusOr<Reduced> Reducer::Result() const {
  if (!not_numeric_.ok()) return not_numeric_;
  if (!ragged_.ok()) return ragged_;
  const DType dtype = dtype_.value_or(DType::kFloat64);
  if (!mean_ && !codec::IsFloating(dtype) && count_ > 0) return IntegerSum(dtype);
  double number = floats_ + static_cast<double>(integers_);
  if (mean_) number = count_ > 0 ? number / static_cast<double>(count_) : std::numeric_limits<double>::quiet_NaN();
  return Reduced{.as_float = RoundTo(FloatOf(dtype), number), .type = DTypeName(FloatOf(dtype))};
}

}  // namespace

absl::StatusOr<Reduced> Reduce(bool mean, const Type& type, const std::vector<void*>& parts) {
  Reducer reducer(mean);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != nullptr) reducer.Add(i, type, parts[i]);
  }
  return reducer.Result();
}

}  // namespace twinkle::dispatch
