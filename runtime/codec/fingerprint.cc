#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <vector>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/stable_hash.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;
using internal::NumberKind;

// Hashes a type and the types in it. `path`: the types that are being visited.
void Visit(const Type& t, std::vector<const Type*>& path, StableHash& hash);

void VisitMembers(const Type& t, std::vector<const Type*>& path, StableHash& hash) {
  const std::shared_ptr<void> sample = t.make();
  EachMember(t, sample.get(), [&](void*, const Type& member) { Visit(member, path, hash); });
}

void Visit(const Type& t, std::vector<const Type*>& path, StableHash& hash) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == &t) return hash.Add(0x7e00 + i);  // a recursive type: how far up it is
  }
  path.push_back(&t);
  hash.Add(static_cast<uint64_t>(t.kind));
  hash.Add(static_cast<uint64_t>(t.number));
  hash.Add(t.count);
  if (t.bulk) hash.Add(t.size);
  // Only the name tells seconds from hours.
  const bool plain_bits = t.kind == Kind::kBits && t.number == NumberKind::kNone;
  const bool opaque = t.kind == Kind::kClass || t.kind == Kind::kMessage || t.kind == Kind::kForeign;
  if (plain_bits || opaque) hash.Add(t.name);
  if (t.key != nullptr) Visit(*t.key, path, hash);
  if (t.item != nullptr) Visit(*t.item, path, hash);
  for (uint32_t i = 0; t.kind == Kind::kVariant && i < t.count; ++i) Visit(*t.alternatives[i], path, hash);
  if ((t.kind == Kind::kRecord || t.kind == Kind::kTuple || t.kind == Kind::kClass) && t.make != nullptr) {
    VisitMembers(t, path, hash);
  }
  path.pop_back();
}

std::string DescribeTensor(const Tensor& tensor) {
  if (tensor.rows() < 0) return "a tensor without dimensions";
  return absl::StrCat("a ", DTypeName(tensor.dtype()), " tensor of shape {", absl::StrJoin(tensor.shape(), ", "), "}");
}

std::string DescribeValue(const Value& value) {
  if (const auto* tensor = value.get_if<Tensor>()) return DescribeTensor(*tensor);
  if (const auto* list = value.get_if<Value::List>()) return absl::StrCat("a list of ", list->size());
  if (const auto* tuple = value.get_if<Value::Tuple>()) return absl::StrCat("a tuple of ", tuple->items.size());
  if (const auto* dict = value.get_if<Value::Dict>()) return absl::StrCat("a dict of ", dict->size());
  constexpr const char* kNames[] = {"null", "a bool", "an integer", "a float", "a string"};
  return kNames[value.tree().index()];
}

}  // namespace

uint64_t Fingerprint(const Type& type) {
  StableHash hash;
  std::vector<const Type*> path;
  Visit(type, path, hash);
  return hash.value();
}

std::string Describe(const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::kTensor:
      return DescribeTensor(As<Tensor>(value));
    case Kind::kValue:
      return DescribeValue(As<Value>(value));
    case Kind::kList:
    case Kind::kArrayRef:
    case Kind::kBools:
      return absl::StrCat("a list of ", type.length(value));
    case Kind::kDict:
      return absl::StrCat("a dict of ", type.length(value));
    case Kind::kString:
      return "a string";
    default:
      return absl::StrCat("of type ", type.name);
  }
}

}  // namespace twinkle::codec
