#include <twinkle/internal/type.h>

#include <cstring>
#include <new>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

void SnapshotTensor(Tensor& tensor) {
  if (tensor.CanBeAdopted()) return;
  const Tensor packed = tensor.Contiguous();
  const size_t bytes = static_cast<size_t>(packed.bytes());
  absl::StatusOr<Tensor> copy = Tensor::Empty(packed.dtype(), packed.shape());
  if (!copy.ok()) throw std::bad_alloc();  // as a vector's copy does: Guarded makes a status of both
  if (bytes > 0) std::memcpy(const_cast<std::byte*>(copy->raw()), packed.raw(), bytes);
  tensor = *std::move(copy);
}

void SnapshotValue(Value& value) {
  if (auto* tensor = value.get_if<Tensor>()) {
    SnapshotTensor(*tensor);
  } else if (auto* list = value.get_if<Value::List>()) {
    for (Value& item : *list) SnapshotValue(item);
  } else if (auto* tuple = value.get_if<Value::Tuple>()) {
    for (Value& item : tuple->items) SnapshotValue(item);
  } else if (auto* dict = value.get_if<Value::Dict>()) {
    for (auto& [key, item] : *dict) SnapshotValue(item);
  }
}

void SnapshotItems(const Type& item, void* first, size_t count) {
  if (item.bulk || item.kind == Kind::kString || item.kind == Kind::kBool) return;
  for (char* at = static_cast<char*>(first); count > 0; --count, at += item.size) Snapshot(item, at);
}

// Its items are shared with other arrays: those that hold something of their own are copied first.
void SnapshotArrayRef(const Type& t, void* p) {
  if (t.item->bulk || t.item->kind == Kind::kString || t.item->kind == Kind::kBool || t.length(p) == 0) return;
  t.join(p, &p, 1, /*move=*/false);
  SnapshotItems(*t.item, t.data(p), t.length(p));
}

}  // namespace

void Snapshot(const Type& t, void* p) {
  if (t.bulk) return;
  switch (t.kind) {
    case Kind::kTensor:
      return SnapshotTensor(As<Tensor>(p));
    case Kind::kValue:
      return SnapshotValue(As<Value>(p));
    case Kind::kList:
      return SnapshotItems(*t.item, t.data(p), t.length(p));
    case Kind::kArrayRef:
      return SnapshotArrayRef(t, p);
    case Kind::kArray:
      return SnapshotItems(*t.item, p, t.count);
    case Kind::kRecord:
    case Kind::kTuple:
    case Kind::kClass:
      return EachMember(t, p, [](void* member, const Type& type) { Snapshot(type, member); });
    case Kind::kDict:
      return EachEntry(t, p, [&](void*, void* value) { Snapshot(*t.item, value); });
    case Kind::kOptional:
      if (t.length(p) != 0) Snapshot(*t.item, t.data(p));
      return;
    case Kind::kVariant:
      if (t.length(p) < t.count) Snapshot(*t.alternatives[t.length(p)], t.data(p));
      return;
    default:
      return;  // holds no memory that others could write to
  }
}

}  // namespace twinkle::codec
