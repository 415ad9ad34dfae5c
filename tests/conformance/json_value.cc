#include "tests/conformance/json_value.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/codec/dtype.h"

namespace twinkle::conformance {
namespace {

constexpr double kTolerance = 1e-6;

absl::Status Malformed(absl::string_view what, const Json& json) {
  return absl::InvalidArgumentError(absl::StrCat("malformed ", what, ": ", Text(json)));
}

// What an object like {"$tuple": …} encodes; null when it is not such an object.
const Json* Encoded(const Json& json, const char* name) {
  if (!json.is_object() || json.size() != 1) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

// ---- from JSON
absl::StatusOr<double> SpecialFloat(const Json& name) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (name == "inf") return kInfinity;
  if (name == "-inf") return -kInfinity;
  return Malformed("$float", name);
}

absl::StatusOr<double> FloatOf(const Json& json) {
  if (const Json* special = Encoded(json, "$float")) return SpecialFloat(*special);
  if (json.is_number()) return json.get<double>();
  return Malformed("float", json);
}

absl::StatusOr<int64_t> IntegerOf(const Json& json) {
  if (!json.is_number_integer()) return Malformed("integer", json);
  if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Malformed("64-bit integer", json);
  }
  return json.get<int64_t>();
}

template <class T>
absl::StatusOr<T> ElementOf(const Json& json) {
  if constexpr (std::is_same_v<T, bool>) {
    if (json.is_boolean()) return json.get<bool>();
    return Malformed("bool", json);
  } else if constexpr (std::is_integral_v<T>) {
    TWINKLE_ASSIGN_OR_RETURN(const int64_t integer, IntegerOf(json));
    if (!std::in_range<T>(integer)) return Malformed("integer of the tensor's dtype", json);
    return static_cast<T>(integer);
  } else {
    TWINKLE_ASSIGN_OR_RETURN(const double number, FloatOf(json));
    return codec::Narrowed<T>(number);
  }
}

template <class T>
absl::StatusOr<Tensor> ElementsOf(const Json& data, std::vector<int64_t> shape) {
  std::vector<T> elements;
  for (const Json& json : data) {
    TWINKLE_ASSIGN_OR_RETURN(const T element, ElementOf<T>(json));
    elements.push_back(element);
  }
  return Tensor::FromVector<T>(std::move(elements), std::move(shape));
}

std::optional<DType> DTypeNamed(const Json& name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name == DTypeName(dtype)) return dtype;
  }
  return std::nullopt;
}

absl::StatusOr<Tensor> TensorOf(const Json& json) {
  for (const char* field : {"kind", "dtype", "shape", "data"}) {
    if (!json.is_object() || !json.contains(field)) return Malformed("$tensor", json);
  }
  const std::optional<DType> dtype = DTypeNamed(json["dtype"]);
  const bool known_kind = json["kind"] == "torch" || json["kind"] == "ndarray";
  if (!dtype || !known_kind || !json["shape"].is_array() || !json["data"].is_array()) {
    return Malformed("$tensor", json);
  }
  std::vector<int64_t> shape;
  for (const Json& size : json["shape"]) {
    TWINKLE_ASSIGN_OR_RETURN(shape.emplace_back(), IntegerOf(size));
  }
  const Json& data = json["data"];
  return codec::WithElementType(*dtype,
                                [&]<class T>(std::type_identity<T>) { return ElementsOf<T>(data, std::move(shape)); });
}

absl::StatusOr<Value::List> ItemsOf(const Json& json) {
  if (!json.is_array()) return Malformed("$tuple", json);
  Value::List items;
  for (const Json& item : json) {
    TWINKLE_ASSIGN_OR_RETURN(items.emplace_back(), ValueOf(item));
  }
  return items;
}

absl::StatusOr<Value> ObjectOf(const Json& json) {
  if (const Json* items = Encoded(json, "$tuple")) {
    TWINKLE_ASSIGN_OR_RETURN(Value::List list, ItemsOf(*items));
    return Value(Value::Tuple{std::move(list)});
  }
  if (Encoded(json, "$float") != nullptr) {
    TWINKLE_ASSIGN_OR_RETURN(const double number, FloatOf(json));
    return Value(number);
  }
  if (const Json* tensor = Encoded(json, "$tensor")) {
    TWINKLE_ASSIGN_OR_RETURN(Tensor made, TensorOf(*tensor));
    return Value(std::move(made));
  }
  Value::Dict dict;
  for (const auto& [key, item] : json.items()) {
    TWINKLE_ASSIGN_OR_RETURN(dict[key], ValueOf(item));
  }
  return Value(std::move(dict));
}

// ---- to JSON
Json FloatJson(double number) {
  if (std::isnan(number)) return Json::object({{"$float", "nan"}});
  if (std::isinf(number)) return Json::object({{"$float", number > 0 ? "inf" : "-inf"}});
  return number;
}

Json DataJson(const Tensor& packed) {
  Json data = Json::array();
  codec::WithElementType(packed.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* elements = reinterpret_cast<const T*>(packed.raw());
    for (int64_t i = 0; i < packed.size(); ++i) {
      if constexpr (std::is_integral_v<T>) {
        data.push_back(elements[i]);
      } else {
        data.push_back(FloatJson(codec::Widened<double>(elements[i])));
      }
    }
  });
  return data;
}

Json ListJson(const Value::List& list) {
  Json items = Json::array();
  for (const Value& item : list) items.push_back(JsonOf(item));
  return items;
}

Json TensorJson(const Tensor& tensor) {
  const Json fields = {
      {"dtype", DTypeName(tensor.dtype())}, {"shape", tensor.shape()}, {"data", DataJson(tensor.Contiguous())}};
  return Json::object({{"$tensor", fields}});
}

// ---- equality
bool SameFloat(double expected, double came) {
  if (std::isnan(expected) || std::isnan(came)) return std::isnan(expected) && std::isnan(came);
  if (std::isinf(expected) || std::isinf(came)) return expected == came;
  return std::fabs(expected - came) <= kTolerance * std::max(std::fabs(expected), std::fabs(came));
}

bool SameTensor(const Tensor& expected, const Tensor& came) {
  if (expected.dtype() != came.dtype() || expected.shape() != came.shape()) return false;
  const Tensor left = expected.Contiguous();
  const Tensor right = came.Contiguous();
  if (!codec::IsFloating(left.dtype())) return left == right;
  return codec::WithElementType(left.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* elements = reinterpret_cast<const T*>(left.raw());
    return std::equal(elements, elements + left.size(), reinterpret_cast<const T*>(right.raw()),
                      [](T a, T b) { return SameFloat(codec::Widened<double>(a), codec::Widened<double>(b)); });
  });
}

bool SameItems(const Value::List& expected, const Value::List& came) {
  return std::equal(expected.begin(), expected.end(), came.begin(), came.end(), Same);
}

bool SameDict(const Value::Dict& expected, const Value::Dict& came) {
  return std::equal(expected.begin(), expected.end(), came.begin(), came.end(),
                    [](const auto& a, const auto& b) { return a.first == b.first && Same(a.second, b.second); });
}

}  // namespace

absl::StatusOr<Value> ValueOf(const Json& json) {
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_number_float()) return Value(json.get<double>());
  if (json.is_object()) return ObjectOf(json);
  if (json.is_array()) {
    TWINKLE_ASSIGN_OR_RETURN(Value::List list, ItemsOf(json));
    return Value(std::move(list));
  }
  TWINKLE_ASSIGN_OR_RETURN(const int64_t integer, IntegerOf(json));
  return Value(integer);
}

Json JsonOf(const Value& value) {
  if (const auto* truth = value.get_if<bool>()) return *truth;
  if (const auto* integer = value.get_if<int64_t>()) return *integer;
  if (const auto* number = value.get_if<double>()) return FloatJson(*number);
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* list = value.get_if<Value::List>()) return ListJson(*list);
  if (const auto* tensor = value.get_if<Tensor>()) return TensorJson(*tensor);
  if (const auto* tuple = value.get_if<Value::Tuple>()) {
    Json json;
    json["$tuple"] = ListJson(tuple->items);
    return json;
  }
  const auto* dict = value.get_if<Value::Dict>();
  if (dict == nullptr) return nullptr;
  Json json = Json::object();
  for (const auto& [key, item] : *dict) json[key] = JsonOf(item);
  return json;
}

std::string Text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
std::string Text(const Value& value) { return Text(JsonOf(value)); }

bool Same(const Value& expected, const Value& came) {
  if (expected.tree().index() != came.tree().index()) return false;
  if (const auto* number = expected.get_if<double>()) {
    return SameFloat(*number, *came.get_if<double>());
  }
  if (const auto* list = expected.get_if<Value::List>()) {
    return SameItems(*list, *came.get_if<Value::List>());
  }
  if (const auto* tuple = expected.get_if<Value::Tuple>()) {
    return SameItems(tuple->items, came.get_if<Value::Tuple>()->items);
  }
  if (const auto* dict = expected.get_if<Value::Dict>()) {
    return SameDict(*dict, *came.get_if<Value::Dict>());
  }
  if (const auto* tensor = expected.get_if<Tensor>()) {
    return SameTensor(*tensor, *came.get_if<Tensor>());
  }
  return expected == came;
}

}  // namespace twinkle::conformance
