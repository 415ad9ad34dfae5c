#include "runtime/codec/flatten_value.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/dtype.h"

namespace twinkle::codec {
namespace {

using internal::As;

std::string Describe(const Value& value) { return codec::Describe(internal::kType<Value>, &value); }

absl::Status NotIterable(size_t index, const Value& part) {
  return base::Refuse("not_iterable", absl::StrCat("result ", index, " is ", Describe(part),
                                                   ", which has no items to flatten: return lists, tensors, or "
                                                   "dicts of them, or collect with none"));
}

absl::Status NotFlattenable(size_t index, const Value& part) {
  return base::Refuse("not_flattenable", absl::StrCat("result ", index, " is ", Describe(part),
                                                      "; only lists, tensors and dicts of them are flattened"));
}

// The items of a list or tuple; null for anything else.
const Value::List* ItemsOf(const Value& value) {
  if (const auto* list = value.get_if<Value::List>()) return list;
  const auto* tuple = value.get_if<Value::Tuple>();
  return tuple == nullptr ? nullptr : &tuple->items;
}

// The tensor if it can be split into rows; null for anything else.
const Tensor* RowsTensor(const Value& value) {
  const auto* tensor = value.get_if<Tensor>();
  return tensor != nullptr && tensor->rows() >= 0 ? tensor : nullptr;
}

// The same elements in another shape, sharing the memory.
absl::StatusOr<Tensor> Reshape(const Tensor& tensor, std::vector<int64_t> shape) {
  const Tensor packed = tensor.Contiguous();
  return Tensor::FromBuffer(packed.dtype(), std::move(shape), packed.owner(), packed.raw(), packed.frozen());
}

// ---- into a list
// Appends a number to a list. False: a Value cannot hold it.
template <class T>
bool AppendNumber(const T& number, Value::List& to) {
  if constexpr (kIsComplex<T>) {
    return false;
  } else if constexpr (kIsNarrowFloat<T>) {
    to.emplace_back(static_cast<float>(number));
    return true;
  } else {
    if constexpr (std::is_same_v<T, uint64_t>) {
      if (!std::in_range<int64_t>(number)) return false;
    }
    to.emplace_back(number);
    return true;
  }
}

bool AppendElements(const Tensor& tensor, Value::List& to) {
  const Tensor packed = tensor.Contiguous();
  return WithElementType(packed.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* typed = reinterpret_cast<const T*>(packed.raw());
    return std::all_of(typed, typed + packed.size(), [&](const T& number) { return AppendNumber(number, to); });
  });
}

// Appends a tensor's elements as numbers if it has one dimension, and its rows as tensors if it has more.
absl::Status AppendTensor(size_t index, const Tensor& tensor, Value::List& to) {
  if (tensor.shape().size() == 1) {
    if (AppendElements(tensor, to)) return absl::OkStatus();
    return base::Refuse("not_flattenable",
                        absl::StrCat("result ", index, " is ", Describe(tensor),
                                     ", and a Value has no complex numbers and no integers above 2^63 - 1: a list "
                                     "cannot take its elements; collect tensors alone, or with none"));
  }
  const std::vector<int64_t> inner(tensor.shape().begin() + 1, tensor.shape().end());
  for (int64_t row = 0; row < tensor.rows(); ++row) {
    TWINKLE_ASSIGN_OR_RETURN(Tensor item, Reshape(tensor.Rows(row, row + 1), inner));
    to.emplace_back(std::move(item));
  }
  return absl::OkStatus();
}

absl::Status FlattenLists(const std::vector<void*>& parts, bool move, Value& to) {
  Value::List all;
  for (size_t i = 0; i < parts.size(); ++i) {
    Value& part = As<Value>(parts[i]);
    if (const Value::List* items = ItemsOf(part)) {
      if (move) {
        auto& own = const_cast<Value::List&>(*items);  // part of `part`, which is not constant
        std::move(own.begin(), own.end(), std::back_inserter(all));
      } else {
        all.insert(all.end(), items->begin(), items->end());
      }
    } else if (const Tensor* tensor = RowsTensor(part)) {
      TWINKLE_RETURN_IF_ERROR(AppendTensor(i, *tensor, all));
    } else {
      return NotIterable(i, part);
    }
  }
  to = Value(std::move(all));
  return absl::OkStatus();
}

// ---- into a tensor
bool IsInteger(const Value& value) { return value.get_if<int64_t>() != nullptr; }
bool IsFloat(const Value& value) { return value.get_if<double>() != nullptr; }
bool IsNumber(const Value& value) { return value.get_if<bool>() != nullptr || IsInteger(value) || IsFloat(value); }

template <class T>
T NumberAs(const Value& value) {
  if (const auto* truth = value.get_if<bool>()) return static_cast<T>(*truth);
  if (const auto* integer = value.get_if<int64_t>()) return static_cast<T>(*integer);
  return static_cast<T>(*value.get_if<double>());
}
template <class T>
absl::StatusOr<Tensor> NumbersTensor(const Value::List& numbers) {
  std::vector<T> elements;
  for (const Value& number : numbers) elements.push_back(NumberAs<T>(number));
  return Tensor::FromVector<T>(std::move(elements));
}

absl::StatusOr<Tensor> StackItems(const Value::List& items);

// The tensor that NumPy makes of a number, a tensor, or nested lists of these.
absl::StatusOr<Tensor> TensorOf(const Value& value) {
  if (const auto* tensor = value.get_if<Tensor>()) return *tensor;
  if (const Value::List* items = ItemsOf(value)) return StackItems(*items);
  if (!IsNumber(value)) {
    return base::Refuse("not_flattenable", absl::StrCat(Describe(value), " cannot go into a tensor"));
  }
  TWINKLE_ASSIGN_OR_RETURN(const Tensor row, StackItems({value}));
  return Reshape(row, {});
}

absl::StatusOr<Tensor> StackItems(const Value::List& items) {
  if (std::all_of(items.begin(), items.end(), IsNumber)) {
    if (std::any_of(items.begin(), items.end(), IsFloat)) return NumbersTensor<double>(items);
    if (std::any_of(items.begin(), items.end(), IsInteger)) return NumbersTensor<int64_t>(items);
    return NumbersTensor<bool>(items);  // also for no items: every other dtype wins over bool
  }
  std::deque<Tensor> rows;
  std::vector<const Tensor*> parts;
  for (const Value& item : items) {
    TWINKLE_ASSIGN_OR_RETURN(const Tensor tensor, TensorOf(item));
    std::vector<int64_t> shape = tensor.shape();
    shape.insert(shape.begin(), 1);
    TWINKLE_ASSIGN_OR_RETURN(rows.emplace_back(), Reshape(tensor, std::move(shape)));
    parts.push_back(&rows.back());
  }
  return codec::ConcatenateTensors(parts, {});
}

absl::Status FlattenTensors(const std::vector<void*>& parts, const codec::Padding& padding, Value& to) {
  std::deque<Tensor> made;  // tensors that were made of lists
  std::vector<const Tensor*> tensors;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Value& part = As<Value>(parts[i]);
    if (const Tensor* tensor = RowsTensor(part)) {
      tensors.push_back(tensor);
    } else if (const Value::List* items = ItemsOf(part)) {
      if (items->empty()) continue;  // an empty list has no rows, and fits every shape
      auto stacked = StackItems(*items);
      if (!stacked.ok()) return base::Annotate(stacked.status(), absl::StrCat("result ", i));
      made.push_back(*std::move(stacked));
      tensors.push_back(&made.back());
    } else {
      return NotIterable(i, part);
    }
  }
  TWINKLE_ASSIGN_OR_RETURN(Tensor joined, codec::ConcatenateTensors(tensors, padding));
  to = Value(std::move(joined));
  return absl::OkStatus();
}

// ---- dicts
absl::Status CheckKeys(const std::vector<void*>& parts) {
  const auto& first = *As<Value>(parts[0]).get_if<Value::Dict>();
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto* dict = As<Value>(parts[i]).get_if<Value::Dict>();
    if (dict == nullptr) {
      return base::Refuse("key_mismatch", absl::StrCat("result ", i, " is ", Describe(As<Value>(parts[i])),
                                                       ", but result 0 is a dict"));
    }
    if (!std::equal(dict->begin(), dict->end(), first.begin(), first.end(), same_key)) {
      return base::Refuse("key_mismatch", absl::StrCat("result ", i, " does not have the same keys as result 0"));
    }
  }
  return absl::OkStatus();
}

absl::Status FlattenDicts(const std::vector<void*>& parts, bool move, const codec::Padding& padding, Value& to) {
  TWINKLE_RETURN_IF_ERROR(CheckKeys(parts));
  Value::Dict joined;
  for (const auto& entry : *As<Value>(parts[0]).get_if<Value::Dict>()) {
    const std::string& key = entry.first;
    std::vector<void*> values;
    values.reserve(parts.size());
    for (void* part : parts) values.push_back(&As<Value>(part).get_if<Value::Dict>()->at(key));
    TWINKLE_RETURN_IF_ERROR(NotFlattenableAt(key, FlattenValues(values, move, padding, joined[key])));
  }
  to = Value(std::move(joined));
  return absl::OkStatus();
}

}  // namespace

absl::Status NotFlattenableAt(absl::string_view where, const absl::Status& status) {
  if (status.ok()) return status;
  absl::string_view message = status.message();
  if (const std::string reason = base::ReasonOf(status); !reason.empty()) {
    message.remove_suffix(reason.size() + absl::string_view(" []").size());
  }
  return base::Refuse("not_flattenable", absl::StrCat("at '", where, "': ", message));
}

absl::Status FlattenValues(const std::vector<void*>& parts, bool move, const codec::Padding& padding, Value& to) {
  const Value& first = As<Value>(parts[0]);
  if (first.get_if<Value::Dict>() != nullptr) return FlattenDicts(parts, move, padding, to);
  if (first.get_if<Value::List>() != nullptr) return FlattenLists(parts, move, to);
  if (RowsTensor(first) != nullptr) return FlattenTensors(parts, padding, to);
  const bool sequence = first.get_if<std::string>() != nullptr || first.get_if<Value::Tuple>() != nullptr;
  return sequence ? NotFlattenable(0, first) : NotIterable(0, first);
}

}  // namespace twinkle::codec
