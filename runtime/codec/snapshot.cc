#include <absl/strings/str_cat.h>
#include <twinkle/internal/type.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/levels.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

// Makes a tensor independent. It is packed, too, even if nothing is encoded: a tensor that is sent has the same strides
// wherever it arrives.
void SnapshotTensor(Tensor& tensor) {
  if (!tensor.contiguous()) {
    tensor = tensor.Contiguous();
    return;
  }
  if (tensor.CanBeAdopted()) return;
  const size_t bytes = static_cast<size_t>(tensor.bytes());
  absl::StatusOr<Tensor> copy = Tensor::Empty(tensor.dtype(), tensor.shape());
  if (!copy.ok()) throw std::bad_alloc();  // as a vector's copy does; Guarded makes a status of it
  if (bytes > 0) std::memcpy(const_cast<std::byte*>(copy->raw()), tensor.raw(), bytes);
  tensor = *std::move(copy);
}

// Makes one value independent: copies what others could write to meanwhile. Keys, sets and foreign types are left to
// Encode. For one thread at a time.
class Snapshotter {
 public:
  absl::Status Run(const Type& type, void* value) {
    One(type, value);
    if (!levels_.too_deep()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("cannot send ", type.name, ": ", kTooDeep));
  }

 private:
  void One(const Type& t, void* p) {
    if (t.bulk && t.kind != Kind::kArray) return;
    levels_.Deeper([&] { InIt(t, p); });
  }
  void OfValue(Value& value) {
    const auto item = [this](Value& held) { levels_.Deeper([&] { OfValue(held); }); };
    if (auto* tensor = value.get_if<Tensor>()) {
      SnapshotTensor(*tensor);
    } else if (auto* list = value.get_if<Value::List>()) {
      std::for_each(list->begin(), list->end(), item);
    } else if (auto* tuple = value.get_if<Value::Tuple>()) {
      std::for_each(tuple->items.begin(), tuple->items.end(), item);
    } else if (auto* dict = value.get_if<Value::Dict>()) {
      for (auto& [key, held] : *dict) item(held);
    }
  }
  void Items(const Type& item, void* first, size_t count) {
    if (HoldsNothing(item)) count = std::min<size_t>(count, 1);  // all are equally deep
    for (char* at = static_cast<char*>(first); count > 0; --count, at += item.size) One(item, at);
  }
  static bool HoldsNothing(const Type& t) { return t.bulk || t.kind == Kind::kString || t.kind == Kind::kBool; }
  // Snapshots an Array. Its items are shared with other arrays, so items with memory of their own are copied first.
  void OfArrayRef(const Type& t, void* p) {
    if (t.length(p) == 0) return;
    if (!HoldsNothing(*t.item)) t.join(p, &p, 1, /*move=*/false);
    Items(*t.item, t.data(p), t.length(p));
  }
  void InIt(const Type& t, void* p);

  Levels levels_;
};

void Snapshotter::InIt(const Type& t, void* p) {
  switch (t.kind) {
    case Kind::kTensor:
      return SnapshotTensor(As<Tensor>(p));
    case Kind::kValue:
      return OfValue(As<Value>(p));
    case Kind::kList:
      return Items(*t.item, t.data(p), t.length(p));
    case Kind::kArrayRef:
      return OfArrayRef(t, p);
    case Kind::kArray:
      return Items(*t.item, p, t.count);
    case Kind::kRecord:
    case Kind::kTuple:
    case Kind::kClass:
      return EachMember(t, p, [this](void* member, const Type& type) { One(type, member); });
    case Kind::kDict:
      return EachEntry(t, p, [&](void*, void* value) { One(*t.item, value); });
    case Kind::kOptional:
      if (t.length(p) != 0) One(*t.item, t.data(p));
      return;
    case Kind::kVariant:
      if (t.length(p) < t.count) One(*t.alternatives[t.length(p)], t.data(p));
      return;
    default:
      return;  // holds no memory that others could write to
  }
}

}  // namespace

absl::Status Snapshot(const Type& type, void* value) { return Snapshotter().Run(type, value); }

}  // namespace twinkle::codec
