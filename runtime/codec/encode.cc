// Encoding. The layout: numbers are varints, things of fixed size are their bytes, lists are a length and their items.
// The length of a contiguous part has one more bit, which says whether its bytes follow in the head or are the next
// buffer.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/encode_within.h"
#include "runtime/codec/guarded.h"
#include "runtime/codec/levels.h"
#include "runtime/codec/range_cursor.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

constexpr size_t kNoLimit = SIZE_MAX;

// The head of an encoding as it grows. Most parts have a few bytes, so there is room ahead, and they are stored in
// place. Beyond the limit bytes are only counted, and their room is used again.
class Head {
 public:
  Head(size_t expected, size_t limit) : text_(std::max(expected, std::string().capacity()), '\0'), limit_(limit) {}

  void Append(uint8_t byte) {
    if (size_ == text_.size()) Grow(1);
    text_[size_++] = static_cast<char>(byte);
  }
  void Append(const void* bytes, size_t count) {
    if (count > text_.size() - size_) Grow(count);
    char* const to = text_.data() + size_;
    size_ += count;
    if (count == sizeof(uint64_t)) {  // one instruction, where a call of memcpy would be twenty
      std::memcpy(to, bytes, sizeof(uint64_t));
    } else {
      std::memcpy(to, bytes, count);
    }
  }
  // Appends zeros up to a multiple of `align` bytes.
  void Align(size_t align) {
    for (size_t missing = -size_ & (align - 1); missing > 0; --missing) Append(0);
  }
  // Bytes so far, stored or only counted.
  size_t bytes() const { return counted_ + size_; }
  // From now on bytes are only counted.
  void OnlyCount() { limit_ = 0; }
  // Takes the head. REQUIRES: bytes() is within the limit.
  std::string Take() {
    text_.resize(size_);
    return std::move(text_);
  }

 private:
  void Grow(size_t count) {
    if (size_ > limit_) {
      const size_t kept = size_ % kMostAlign;  // keeps the alignment of what follows
      counted_ += size_ - kept;
      size_ = kept;
      if (count <= text_.size() - size_) return;
    }
    text_.resize(std::max(2 * text_.size(), size_ + count));
  }
  static constexpr size_t kMostAlign = 4096;

  std::string text_;  // the head up to size_, then room
  size_t size_ = 0;
  size_t counted_ = 0;  // bytes that are not stored any more
  size_t limit_;
};

// Encodes one value. The first failure counts (error_). For one thread at a time.
class Encoder {
 public:
  Encoder(const std::shared_ptr<const void>& owner, const std::vector<Range>* ranges, size_t out_of_band,
          size_t expected, size_t limit = kNoLimit)
      : owner_(owner), out_of_band_(out_of_band), limit_(limit), head_(expected, limit) {
    if (ranges != nullptr) ranges_.emplace(*ranges);
  }

  absl::StatusOr<Encoded> Run(const Type& type, const void* value) {
    if (!ranges_) {
      Put(type, value);
    } else {
      PutRows(type, value);
      if (const char* const why = ranges_->End(); why != nullptr) Fail(why);
    }
    return Result(type);
  }
  absl::StatusOr<Sized> RunWithin(const Type& type, const void* value) {
    Put(type, value);
    if (error_ != nullptr) return Result(type).status();
    Sized sized{bytes(), std::nullopt};
    if (sized.bytes <= limit_) sized.encoded = Encoded{head_.Take(), std::move(buffers_)};
    return sized;
  }
  absl::StatusOr<Encoded> RunAlternative(const Type& variant, size_t which, const void* value) {
    copying_ = true;  // the value has no owner
    Number(which);
    Put(*variant.alternatives[which], value);
    return Result(variant);
  }

 private:
  absl::StatusOr<Encoded> Result(const Type& type) {
    if (error_ != nullptr) return absl::InvalidArgumentError(absl::StrCat("cannot encode ", type.name, ": ", error_));
    return Encoded{head_.Take(), std::move(buffers_)};
  }
  void Fail(const char* why) {
    if (error_ == nullptr) error_ = why;
  }
  void Raw(const void* bytes, size_t count) { head_.Append(bytes, count); }
  void Byte(uint8_t byte) { head_.Append(byte); }
  void Number(uint64_t number) {
    for (; number >= 128; number >>= 7) Byte(static_cast<uint8_t>(number | 128));
    Byte(static_cast<uint8_t>(number));
  }
  // Calls f() one level deeper, unless that is too deep.
  template <class F>
  void Deeper(F&& f) {
    levels_.Deeper(f);
    if (levels_.too_deep()) Fail(kTooDeep);
  }
  // Whether a contiguous part becomes a buffer.
  bool Outside(size_t bytes) const { return bytes >= out_of_band_; }
  // Appends the length of a contiguous part of `bytes` bytes.
  void Length(uint64_t count, size_t bytes) { Number(count << 1 | (Outside(bytes) ? 1 : 0)); }
  // Appends the bytes of a contiguous part, or refers to them.
  void Contents(const void* data, size_t bytes, size_t align, const std::shared_ptr<const void>& owner) {
    if (Outside(bytes)) return Refer(data, bytes, owner);
    if (bytes == 0) return;
    head_.Align(align);
    Raw(data, bytes);
  }
  uint64_t bytes() const { return head_.bytes() + buffer_bytes_; }
  void Refer(const void* data, size_t size, const std::shared_ptr<const void>& owner) {
    buffer_bytes_ += size;
    if (bytes() > limit_) {  // too large: nothing of the value will be sent
      buffers_.clear();
      head_.OnlyCount();
    } else if (copying_ && owner == owner_) {
      auto copy = std::make_shared<const std::string>(static_cast<const char*>(data), size);
      buffers_.push_back({reinterpret_cast<const std::byte*>(copy->data()), size, copy});
    } else {
      buffers_.push_back({static_cast<const std::byte*>(data), size, owner});
    }
  }
  void Text(std::string_view text, const std::shared_ptr<const void>& owner) {
    Length(text.size(), text.size());
    Contents(text.data(), text.size(), 1, owner);
  }
  void OwnText(std::string text) {
    auto kept = std::make_shared<const std::string>(std::move(text));
    Text(*kept, kept);
  }

  void Items(const Type& item, const void* first, size_t count) {
    const char* at = static_cast<const char*>(first);
    for (; count > 0; --count, at += item.size) Put(item, at);
  }
  void List(const Type& t, const void* list, size_t begin, size_t end) {
    const Type& item = *t.item;
    const char* first = static_cast<const char*>(t.data(Mutable(list))) + begin * item.size;
    if (!item.bulk) {
      Number(end - begin);
      return Items(item, first, end - begin);
    }
    const size_t bytes = (end - begin) * item.size;
    Length(end - begin, bytes);
    Contents(first, bytes, item.align, t.owner != nullptr ? t.owner(list) : owner_);
  }
  void Put(const Type& t, const void* p) {
    if (t.bulk && t.kind != Kind::kArray) return Raw(p, t.size);
    Deeper([&] { PutDeep(t, p); });
  }
  void PutDeep(const Type& t, const void* p) {
    switch (t.kind) {
      case Kind::kBits:
      case Kind::kBool:
        return Raw(p, t.size);
      case Kind::kString:
        return Text(As<std::string>(p), owner_);
      case Kind::kBytes:
        return Text(As<Bytes>(p).view(), As<Bytes>(p).owner());
      case Kind::kList:
      case Kind::kArrayRef:
        return List(t, p, 0, t.length(p));
      case Kind::kBools:
      case Kind::kMessage:
        return OwnText(t.to_bytes(p));
      case Kind::kArray:
        return PutArray(t, p);
      case Kind::kRecord:
        if (t.empty) Byte(0);  // an empty record takes a byte, so that the input bounds the lengths of lists
        [[fallthrough]];
      case Kind::kTuple:
        return PutMembers(t, p);
      case Kind::kClass:
        Byte(0);
        return PutClass(t, p);
      case Kind::kDict:
      case Kind::kSet:
        return PutEntries(t, p);
      case Kind::kOptional:
        return PutOptional(t, p, false);
      case Kind::kVariant:
        return PutVariant(t, p, false);
      case Kind::kTensor:
        return PutTensor(As<Tensor>(p));
      case Kind::kValue:
        return PutValue(As<Value>(p));
      case Kind::kForeign:
        return PutForeign(t, p);
    }
  }
  void PutMembers(const Type& t, const void* p) {
    EachMember(t, Mutable(p), [&](void* member, const Type& type) { Put(type, member); });
  }
  // Encodes the members that serialize() names. These may be local variables, which are gone when it returns, so what
  // is not part of the object is copied.
  void PutClass(const Type& t, const void* p) {
    const char* const begin = static_cast<const char*>(p);
    EachMember(t, Mutable(p), [&](void* member, const Type& type) {
      const bool inside = !std::less<>{}(member, begin) && std::less<>{}(member, begin + t.size);
      const bool outer = std::exchange(copying_, copying_ || !inside);
      Put(type, member);
      copying_ = outer;
    });
  }
  void PutArray(const Type& t, const void* p) {
    if (!t.item->bulk) return Items(*t.item, p, t.count);
    Byte(Outside(t.size) ? 1 : 0);
    Contents(p, t.size, t.item->align, owner_);
  }
  void PutEntries(const Type& t, const void* p) {
    Number(t.length(p));
    EachEntry(t, Mutable(p), [&](void* key, void* value) {
      Put(*t.key, key);
      if (value != nullptr) Put(*t.item, value);
    });
  }
  void PutHeld(const Type& held, const void* p, bool rows) {
    if (rows) return PutRows(held, p);
    Put(held, p);
  }
  void PutOptional(const Type& t, const void* p, bool rows) {
    const bool has = t.length(p) != 0;
    Byte(has ? 1 : 0);
    if (!has) return;
    PutHeld(*t.item, t.data(Mutable(p)), rows);
  }
  void PutVariant(const Type& t, const void* p, bool rows) {
    const size_t which = t.length(p);
    if (which >= t.count) return Fail("a variant without a value");
    Number(which);
    const Type& held = *t.alternatives[which];
    PutHeld(held, t.data(Mutable(p)), rows);
  }
  void PutForeign(const Type& t, const void* p) {
    const std::shared_ptr<const void> whole = std::exchange(owner_, t.to_wire(p));
    Put(*t.item, owner_.get());
    owner_ = whole;
  }
  void PutTensor(const Tensor& given) {
    const Tensor tensor = given.Contiguous();
    const size_t bytes = static_cast<size_t>(tensor.bytes());
    Byte(static_cast<uint8_t>(tensor.dtype()));
    Length(tensor.shape().size(), bytes);
    for (int64_t size : tensor.shape()) Number(static_cast<uint64_t>(size));
    Contents(tensor.raw(), bytes, 8, tensor.owner());
  }
  void PutItems(const Value::List& list, size_t begin, size_t end) {
    Number(end - begin);
    for (; begin < end; ++begin) Deeper([&] { PutValue(list[begin]); });
  }
  void PutValue(const Value& value) {
    Byte(static_cast<uint8_t>(value.tree().index()));
    if (const auto* b = value.get_if<bool>()) return Byte(*b ? 1 : 0);
    if (const auto* i = value.get_if<int64_t>()) return Raw(i, 8);
    if (const auto* f = value.get_if<double>()) return Raw(f, 8);
    if (const auto* s = value.get_if<std::string>()) return Text(*s, owner_);
    if (const auto* l = value.get_if<Value::List>()) return PutItems(*l, 0, l->size());
    if (const auto* t = value.get_if<Value::Tuple>()) return PutItems(t->items, 0, t->items.size());
    if (const auto* d = value.get_if<Value::Dict>()) {
      Number(d->size());
      for (const auto& entry : *d) {
        Text(entry.first, owner_);
        Deeper([&] { PutValue(entry.second); });
      }
    }
    if (const auto* tensor = value.get_if<Tensor>()) PutTensor(*tensor);
  }

  // ---- rows: lists and tensors take the next range, trees are walked, everything else goes whole
  Range Take(int64_t rows) {
    Range range;
    if (const char* const why = ranges_->Next(rows, &range); why != nullptr) Fail(why);
    return range;
  }
  void PutRows(const Type& t, const void* p) {
    if (!t.can_split) return Put(t, p);
    Deeper([&] { PutRowsDeep(t, p); });
  }
  void PutRowsDeep(const Type& t, const void* p) {
    switch (t.kind) {
      case Kind::kList:
      case Kind::kArrayRef: {
        const Range r = Take(static_cast<int64_t>(t.length(p)));
        return List(t, p, static_cast<size_t>(r.begin), static_cast<size_t>(r.end));
      }
      case Kind::kBools: {
        const Range r = Take(static_cast<int64_t>(t.length(p)));
        return OwnText(t.to_bytes(p).substr(static_cast<size_t>(r.begin), static_cast<size_t>(r.end - r.begin)));
      }
      case Kind::kTensor:
        return PutTensorRows(As<Tensor>(p));
      case Kind::kRecord:
        return EachMember(t, Mutable(p), [&](void* member, const Type& type) { PutRows(type, member); });
      case Kind::kClass:
        return PutClassRows(t, p);
      case Kind::kDict: {
        Number(t.length(p));
        return EachEntry(t, Mutable(p), [&](void* key, void* value) {
          Put(*t.key, key);
          PutRows(*t.item, value);
        });
      }
      case Kind::kOptional:
        return PutOptional(t, p, true);
      case Kind::kVariant:
        return PutVariant(t, p, true);
      case Kind::kValue:
        return PutValueRows(As<Value>(p));
      default:
        return PutDeep(t, p);
    }
  }
  void PutTensorRows(const Tensor& tensor) {
    if (tensor.rows() < 0) return PutTensor(tensor);
    const Range r = Take(tensor.rows());
    PutTensor(tensor.Rows(r.begin, r.end));
  }
  void PutClassRows(const Type& t, const void* p) {
    const Range r = Take(t.rows(p));
    const std::shared_ptr<void> part = t.make();
    if (error_ == nullptr) t.slice(part.get(), p, r.begin, r.end);
    const std::shared_ptr<const void> whole = std::exchange(owner_, part);
    PutDeep(t, part.get());
    owner_ = whole;
  }
  void PutValueRows(const Value& value) {
    if (const auto* list = value.get_if<Value::List>()) {
      const Range r = Take(static_cast<int64_t>(list->size()));
      Byte(static_cast<uint8_t>(value.tree().index()));
      return PutItems(*list, static_cast<size_t>(r.begin), static_cast<size_t>(r.end));
    }
    if (const auto* tensor = value.get_if<Tensor>()) {
      Byte(static_cast<uint8_t>(value.tree().index()));
      return PutTensorRows(*tensor);
    }
    if (const auto* dict = value.get_if<Value::Dict>()) {
      Byte(static_cast<uint8_t>(value.tree().index()));
      Number(dict->size());
      for (const auto& entry : *dict) {
        Text(entry.first, owner_);
        Deeper([&] { PutValueRows(entry.second); });
      }
      return;
    }
    PutValue(value);
  }

  std::shared_ptr<const void> owner_;  // owner of what is being encoded
  std::optional<RangeCursor> ranges_;  // if only some rows are encoded
  const size_t out_of_band_;
  const size_t limit_;
  Levels levels_;
  bool copying_ = false;  // whether parts of `owner_` are copied, and not referred to
  const char* error_ = nullptr;
  Head head_;
  std::vector<Buffer> buffers_;  // none once they are beyond the limit
  uint64_t buffer_bytes_ = 0;
};

}  // namespace

size_t Encoded::bytes() const {
  size_t total = head.size();
  for (const Buffer& buffer : buffers) total += buffer.size;
  return total;
}

absl::StatusOr<Encoded> Encode(const Described& value, const std::vector<Range>* ranges, size_t out_of_band,
                               size_t expected) {
  if (value.value == nullptr) return Encoded{};
  return Guarded([&]() -> absl::StatusOr<Encoded> {
    return Encoder(value.value, ranges, out_of_band, expected).Run(*value.type, value.value.get());
  });
}

absl::StatusOr<Sized> EncodeWithin(const Described& value, uint64_t limit) {
  if (value.value == nullptr) return Sized{0, Encoded{}};
  return Guarded([&]() -> absl::StatusOr<Sized> {
    return Encoder(value.value, nullptr, kOutOfBand, 0, limit).RunWithin(*value.type, value.value.get());
  });
}

absl::StatusOr<Encoded> EncodeAlternative(const Type& variant, size_t which, const void* value, size_t out_of_band,
                                          size_t expected) {
  return Guarded([&]() -> absl::StatusOr<Encoded> {
    return Encoder(nullptr, nullptr, out_of_band, expected).RunAlternative(variant, which, value);
  });
}

}  // namespace twinkle::codec
