#include "tests/support/to_value.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/codec/each_entry.h"

namespace twinkle::tests {
namespace {

using internal::As;
using internal::Kind;
using internal::NumberKind;
using internal::Type;

void* Mutable(const void* object) { return const_cast<void*>(object); }

double FloatValue(uint32_t size, const void* p) {
  if (size == sizeof(float)) return As<float>(p);
  if (size == sizeof(double)) return As<double>(p);
  return static_cast<double>(As<long double>(p));
}

int64_t SignedValue(uint32_t size, const void* p) {
  if (size == 1) return As<int8_t>(p);
  if (size == 2) return As<int16_t>(p);
  if (size == 4) return As<int32_t>(p);
  return As<int64_t>(p);
}

int64_t UnsignedValue(uint32_t size, const void* p) {
  if (size == 1) return As<uint8_t>(p);
  if (size == 2) return As<uint16_t>(p);
  if (size == 4) return As<uint32_t>(p);
  return static_cast<int64_t>(As<uint64_t>(p));
}

Value NumberValue(const Type& type, const void* p) {
  if (type.number == NumberKind::kFloat) return FloatValue(type.size, p);
  if (type.number == NumberKind::kUnsigned) return UnsignedValue(type.size, p);
  return SignedValue(type.size, p);
}

Value ListValue(const Type& item, const void* items, size_t count) {
  Value::List list;
  const char* at = static_cast<const char*>(items);
  for (size_t i = 0; i < count; ++i) list.push_back(ToValue(item, at + i * item.size));
  return list;
}

Value BoolsValue(const std::string& bytes) {
  Value::List list;
  for (char byte : bytes) list.emplace_back(byte != 0);
  return list;
}

Value TupleValue(const Type& type, const void* p) {
  Value::Tuple tuple;
  codec::EachMember(type, Mutable(p), [&](void* member, const Type& member_type) {
    tuple.items.push_back(ToValue(member_type, member));
  });
  return tuple;
}

Value StructValue(const Type& type, const void* p) {
  Value::Dict dict;
  codec::EachMember(type, Mutable(p), [&](void* member, const Type& member_type) {
    dict.emplace(std::to_string(dict.size()), ToValue(member_type, member));
  });
  return dict;
}

Value DictValue(const Type& type, const void* p) {
  Value::Dict dict;
  Value::List pairs;
  codec::EachEntry(type, Mutable(p), [&](void* key, void* value) {
    if (type.string_key) {
      dict.emplace(As<std::string>(key), ToValue(*type.item, value));
    } else {
      pairs.emplace_back(Value::Tuple{{ToValue(*type.key, key), ToValue(*type.item, value)}});
    }
  });
  return type.string_key ? Value(std::move(dict)) : Value(std::move(pairs));
}

Value SetValue(const Type& type, const void* p) {
  Value::List list;
  codec::EachEntry(type, Mutable(p), [&](void* key, void*) { list.push_back(ToValue(*type.key, key)); });
  return list;
}

Value HeldValue(const Type& type, const void* p) {
  const size_t which = type.length(p);
  const bool optional = type.kind == Kind::kOptional;
  if (optional ? which == 0 : which >= type.count) return nullptr;
  return ToValue(optional ? *type.item : *type.alternatives[which], type.data(Mutable(p)));
}

// ---- agreement
std::optional<double> NumberIn(const Value& value) {
  if (const auto* truth = value.get_if<bool>()) return *truth ? 1 : 0;
  if (const auto* integer = value.get_if<int64_t>()) return static_cast<double>(*integer);
  if (const auto* number = value.get_if<double>()) return *number;
  return std::nullopt;
}

const Value::List* ItemsIn(const Value& value) {
  if (const auto* list = value.get_if<Value::List>()) return list;
  const auto* tuple = value.get_if<Value::Tuple>();
  return tuple == nullptr ? nullptr : &tuple->items;
}

bool AgreeNumbers(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
}

bool AgreeDicts(const Value::Dict& a, const Value::Dict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && AgreeInValue(x.second, y.second);
  });
}

}  // namespace

Value ToValue(const Type& type, const void* p) {
  switch (type.kind) {
    case Kind::kBits:
      return NumberValue(type, p);
    case Kind::kBool:
      return As<bool>(p);
    case Kind::kString:
      return As<std::string>(p);
    case Kind::kBytes:
      return std::string(As<Bytes>(p).view());
    case Kind::kMessage:
      return type.to_bytes(p);
    case Kind::kList:
    case Kind::kArrayRef:
      return ListValue(*type.item, type.data(Mutable(p)), type.length(p));
    case Kind::kArray:
      return ListValue(*type.item, p, type.count);
    case Kind::kBools:
      return BoolsValue(type.to_bytes(p));
    case Kind::kTuple:
      return TupleValue(type, p);
    case Kind::kRecord:
    case Kind::kClass:
      return StructValue(type, p);
    case Kind::kDict:
      return DictValue(type, p);
    case Kind::kSet:
      return SetValue(type, p);
    case Kind::kOptional:
    case Kind::kVariant:
      return HeldValue(type, p);
    case Kind::kTensor:
      return As<Tensor>(p);
    case Kind::kValue:
      return As<Value>(p);
    case Kind::kForeign:
      break;
  }
  const std::shared_ptr<void> wire = type.to_wire(p);
  return ToValue(*type.item, wire.get());
}

bool AgreeInValue(const Value& a, const Value& b) {
  const std::optional<double> left = NumberIn(a);
  const std::optional<double> right = NumberIn(b);
  if (left && right) return AgreeNumbers(*left, *right);
  const Value::List* left_items = ItemsIn(a);
  const Value::List* right_items = ItemsIn(b);
  if (left_items != nullptr && right_items != nullptr) {
    return std::equal(left_items->begin(), left_items->end(), right_items->begin(), right_items->end(), AgreeInValue);
  }
  const auto* left_dict = a.get_if<Value::Dict>();
  const auto* right_dict = b.get_if<Value::Dict>();
  if (left_dict != nullptr && right_dict != nullptr) return AgreeDicts(*left_dict, *right_dict);
  return a == b;
}

}  // namespace twinkle::tests
