// Decoding. It trusts nothing: each length is checked against the bytes that are there, and charged to a budget before
// memory is taken.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>

#include "runtime/codec/codec.h"
#include "runtime/codec/dtype.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/guarded.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;
using internal::Visitor;

constexpr size_t kNodeOverhead = 48;  // bytes of an entry in a dict or set, about
constexpr uint64_t kMostDimensions = 64;

// Decodes one value. The first failure counts (error_ or status_); after it nothing more is read. For one thread at a
// time.
class Decoder : public Visitor {
 public:
  Decoder(std::string_view head, std::span<const Buffer> buffers, const Limits& limits, size_t budget)
      : Visitor{&Decoder::VisitMember, true},
        start_(head.data()),
        at_(start_),
        end_(start_ + head.size()),
        buffers_(buffers),
        open_ended_(limits.open_ended),
        depth_(limits.depth),
        budget_(budget) {}

  absl::Status Run(const Type& type, void* value) {
    if (open_ended_) {
      GetMessage(type, value);
    } else if (Get(type, value) && (at_ != end_ || next_ != buffers_.size())) {
      Fail("bytes left over");
    }
    if (!status_.ok()) return status_;
    if (error_ == nullptr) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("cannot decode ", type.name, ": ", error_));
  }

 private:
  static void VisitMember(Visitor& self, void* member, const Type& type) {
    auto& decoder = static_cast<Decoder&>(self);
    const bool may_end =
        decoder.depth_ == decoder.open_depth_ && decoder.left() == 0;  // the sender knows fewer members
    if (!may_end) decoder.Get(type, member);
  }

  bool ok() const { return error_ == nullptr && status_.ok(); }
  bool Fail(const char* why) {
    if (error_ == nullptr) error_ = why;
    at_ = end_;
    return false;
  }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool Raw(void* to, size_t count) {
    if (count > left()) return Fail("truncated");
    if (count == sizeof(uint64_t)) {  // one instruction, where a call of memcpy would be twenty
      std::memcpy(to, at_, sizeof(uint64_t));
    } else {
      std::memcpy(to, at_, count);
    }
    at_ += count;
    return true;
  }
  bool Byte(uint8_t& byte) { return Raw(&byte, 1); }
  bool Number(uint64_t& number) {
    if (at_ != end_ && static_cast<uint8_t>(*at_) < 128) {  // most numbers are small
      number = static_cast<uint8_t>(*at_++);
      return true;
    }
    number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte;
      if (!Byte(byte)) return false;
      number |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return shift < 63 || byte < 2 || Fail("number too large");
    }
    return Fail("number too large");
  }
  // Takes memory for `count` things of `size` bytes from the budget.
  bool Charge(uint64_t count, uint64_t size) {
    if (size != 0 && count > budget_ / size) return Fail("larger than the limit");
    budget_ -= count * size;
    return true;
  }
  // Reads a count of things that take at least `least` bytes each in the head, and `size` bytes of memory.
  bool Count(uint64_t& count, uint64_t least, uint64_t size) {
    return Number(count) && (count <= left() / least || Fail("a length beyond the data")) && Charge(count, size);
  }
  // Reads the length of a contiguous part, and whether its bytes are outside the head, in the next buffer.
  bool Length(uint64_t& count, bool& outside) {
    if (!Number(count)) return false;
    outside = (count & 1) != 0;
    count >>= 1;
    return true;
  }
  const Buffer* NextBuffer(uint64_t bytes) {
    if (next_ < buffers_.size() && buffers_[next_].size == bytes) return &buffers_[next_++];
    Fail("a buffer is missing or of another size");
    return nullptr;
  }
  // The next `bytes` contiguous bytes; null only after a failure. `buffer`: set if they are outside the head.
  const void* Contents(uint64_t bytes, bool outside, size_t align, const Buffer** buffer = nullptr) {
    static constexpr char kNothing = 0;
    if (outside) {
      const Buffer* const next = NextBuffer(bytes);
      if (next == nullptr) return nullptr;
      if (status_ = CheckThere(*next); !status_.ok()) return nullptr;
      if (buffer != nullptr) *buffer = next;
      return next->data != nullptr ? static_cast<const void*>(next->data) : &kNothing;
    }
    if (bytes == 0) return &kNothing;
    const size_t skip = -static_cast<size_t>(at_ - start_) & (align - 1);
    if (skip > left() || bytes > left() - skip) {
      Fail("truncated");
      return nullptr;
    }
    const char* data = at_ + skip;
    at_ = data + bytes;
    return data;
  }
  bool Text(std::string& text) {
    uint64_t count;
    bool outside;
    if (!Length(count, outside) || !Charge(count, 1)) return false;
    const void* data = Contents(count, outside, 1);
    if (data != nullptr) text.assign(static_cast<const char*>(data), count);
    return data != nullptr;
  }

  bool Get(const Type& t, void* p) {
    if (!ok()) return false;
    if (t.bulk && t.kind != Kind::kArray) return Raw(p, t.size);
    if (--depth_ < 0) return Fail(kTooDeep);
    const bool done = GetDeep(t, p);
    ++depth_;
    return done && ok();
  }
  // Reads a message (Limits::open_ended), which may end between two members, and of which further bytes are left: a
  // struct, or a variant of structs.
  bool GetMessage(const Type& t, void* p) {
    if (t.kind == Kind::kVariant) {
      uint64_t which;
      if (!Number(which)) return false;
      return which < t.count ? GetMessage(*t.alternatives[which], t.resize(p, which)) : Fail("no such alternative");
    }
    if (t.bulk) return Raw(p, std::min<size_t>(t.size, left()));
    open_depth_ = depth_ - 1;
    return Get(t, p);
  }
  bool GetDeep(const Type& t, void* p) {
    uint8_t byte = 0;
    switch (t.kind) {
      case Kind::kBits:
        return Raw(p, t.size);
      case Kind::kBool:
        return GetBool(As<bool>(p));
      case Kind::kString:
        return Text(As<std::string>(p));
      case Kind::kBytes:
        return GetBytes(As<Bytes>(p));
      case Kind::kList:
      case Kind::kArrayRef:
        return GetList(t, p);
      case Kind::kBools:
      case Kind::kMessage:
        return GetFromBytes(t, p);
      case Kind::kArray:
        return GetArray(t, p);
      case Kind::kRecord:
        if (t.empty && !Byte(byte)) return false;
        [[fallthrough]];
      case Kind::kTuple:
        t.members(p, *this);
        return ok();
      case Kind::kClass:
        return Byte(byte) && GetClass(t, p);
      case Kind::kDict:
      case Kind::kSet:
        return GetEntries(t, p);
      case Kind::kOptional: {
        bool has = false;
        if (!GetBool(has)) return false;
        void* held = t.resize(p, has ? 1 : 0);
        return !has || Get(*t.item, held);
      }
      case Kind::kVariant: {
        uint64_t which;
        if (!Number(which)) return false;
        return which < t.count ? Get(*t.alternatives[which], t.resize(p, which)) : Fail("no such alternative");
      }
      case Kind::kTensor:
        return GetTensor(As<Tensor>(p));
      case Kind::kValue:
        return GetValue(As<Value>(p));
      case Kind::kForeign:
        return GetForeign(t, p);
    }
    return Fail("unknown kind");
  }
  bool GetBool(bool& value) {
    uint8_t byte;
    if (!Byte(byte)) return false;
    if (byte > 1) return Fail("not a bool");
    value = byte == 1;
    return true;
  }
  bool GetBytes(Bytes& bytes) {
    uint64_t count;
    bool outside;
    const Buffer* buffer = nullptr;
    if (!Length(count, outside)) return false;
    if (outside) {
      buffer = NextBuffer(count);
      if (buffer == nullptr) return false;
      if (buffer->owner == nullptr && !CheckThere(*buffer).ok()) return Fail("a buffer is missing or of another size");
      const std::string_view view(reinterpret_cast<const char*>(buffer->data), count);
      bytes = buffer->owner != nullptr ? Bytes(buffer->owner, view) : Bytes(std::string(view));
      return true;
    }
    if (count == 0) {
      bytes = Bytes();
      return true;
    }
    if (!Charge(count, 1)) return false;
    const void* data = Contents(count, outside, 1);
    if (data != nullptr) bytes = Bytes(std::string(static_cast<const char*>(data), count));
    return data != nullptr;
  }
  bool GetFromBytes(const Type& t, void* p) {
    uint64_t count;
    bool outside;
    if (!Length(count, outside) || !Charge(count, 1)) return false;
    const void* data = Contents(count, outside, 1);
    if (data == nullptr) return false;
    if (t.kind == Kind::kMessage && count > INT32_MAX) return Fail("a message of more than 2 GiB");
    return t.from_bytes(p, data, count) || Fail("bytes that are no such value");
  }
  bool Items(const Type& item, void* first, size_t count) {
    for (char* at = static_cast<char*>(first); count > 0; --count, at += item.size) {
      if (!Get(item, at)) return false;
    }
    return true;
  }
  bool GetList(const Type& t, void* p) {
    const Type& item = *t.item;
    uint64_t count;
    if (!item.bulk) return Count(count, item.least, item.size) && Items(item, t.resize(p, count), count);
    bool outside;
    const Buffer* buffer = nullptr;
    uint64_t bytes = 0;
    if (!Length(count, outside) || __builtin_mul_overflow(count, uint64_t{item.size}, &bytes)) {
      return Fail("a length beyond the data");
    }
    const bool refer = outside && t.adopt != nullptr;
    if (!refer && !Charge(bytes, 1)) return false;
    const void* data = Contents(bytes, outside, item.align, &buffer);
    if (data == nullptr) return false;
    const bool aligned = reinterpret_cast<uintptr_t>(data) % item.align == 0;
    if (refer && aligned && buffer->owner != nullptr) {
      t.adopt(p, buffer->owner, data, count);
    } else if (aligned && count > 0) {
      t.assign(p, data, count);
    } else {
      void* const first = t.resize(p, count);
      if (count > 0) std::memcpy(first, data, bytes);
    }
    return true;
  }
  bool GetArray(const Type& t, void* p) {
    if (!t.item->bulk) return Items(*t.item, p, t.count);
    bool outside = false;
    if (!GetBool(outside)) return false;
    const void* data = Contents(t.size, outside, t.item->align);
    if (data != nullptr) std::memcpy(p, data, t.size);
    return data != nullptr;
  }
  bool GetEntries(const Type& t, void* p) {
    uint64_t count;
    const uint64_t least = t.key->least + (t.item != nullptr ? t.item->least : 0);
    const uint64_t size = t.key->size + (t.item != nullptr ? t.item->size : 0) + kNodeOverhead;
    if (!Count(count, least, size)) return false;
    const bool filled = FillEntries(t, p, count, [&](void* key, void* value) {
      return Get(*t.key, key) && (value == nullptr || Get(*t.item, value));
    });
    return filled || Fail("a key twice");
  }
  bool GetClass(const Type& t, void* p) {
    t.members(p, *this);
    if (ok() && t.validate != nullptr) status_ = t.validate(p);
    return ok();
  }
  bool GetForeign(const Type& t, void* p) {
    const std::shared_ptr<void> wire = t.item->make();
    if (!Get(*t.item, wire.get())) return false;
    status_ = t.from_wire(p, wire.get());
    return status_.ok();
  }

  bool GetTensor(Tensor& tensor) {
    uint8_t dtype;
    uint64_t dimensions;
    bool outside;
    if (!Byte(dtype) || !Length(dimensions, outside)) return false;
    if (dtype >= kDTypeCount || dimensions > kMostDimensions) return Fail("not a tensor");
    std::vector<int64_t> shape;
    uint64_t elements = 1;
    const uint64_t most =
        static_cast<uint64_t>(kMostTensorBytes) / static_cast<uint64_t>(SizeOf(static_cast<DType>(dtype)));
    uint64_t extent = 1;  // the product without dimensions of 0, to bound the others
    for (; dimensions > 0; --dimensions) {
      uint64_t size;
      if (!Number(size)) return false;
      if (__builtin_mul_overflow(extent, size == 0 ? 1 : size, &extent) || extent > most) {
        return Fail("a tensor too large");
      }
      elements *= size;
      shape.push_back(static_cast<int64_t>(size));
    }
    return GetElements(static_cast<DType>(dtype), std::move(shape), elements, outside, tensor);
  }
  bool GetElements(DType dtype, std::vector<int64_t> shape, uint64_t elements, bool outside, Tensor& tensor) {
    const uint64_t bytes = elements * static_cast<uint64_t>(SizeOf(dtype));
    const Buffer* buffer = nullptr;
    const void* data = Contents(bytes, outside, 8, &buffer);
    if (data == nullptr) return false;
    if (dtype == DType::kBool && !AreBools(data, bytes)) return Fail("not a bool");
    std::shared_ptr<const void> owner = buffer != nullptr ? buffer->owner : nullptr;
    if (owner == nullptr) {
      if (!Charge(bytes, 1)) return false;
      std::shared_ptr<std::byte[]> copy(new std::byte[bytes + 1]);
      if (bytes > 0) std::memcpy(copy.get(), data, bytes);
      data = copy.get();
      owner = std::move(copy);
    }
    const bool frozen = buffer != nullptr;
    tensor =
        *Tensor::FromBuffer(dtype, std::move(shape), std::move(owner), static_cast<const std::byte*>(data), frozen);
    return true;
  }
  static bool AreBools(const void* data, uint64_t count) {
    const auto* first = static_cast<const uint8_t*>(data);
    return std::all_of(first, first + count, [](uint8_t byte) { return byte <= 1; });
  }

  bool GetItems(Value::List& list) {
    uint64_t count;
    if (!Count(count, 1, sizeof(Value))) return false;
    list.resize(count);
    for (Value& item : list) {
      if (!Get(internal::kType<Value>, &item)) return false;
    }
    return true;
  }
  bool GetDict(Value::Dict& dict) {
    uint64_t count;
    if (!Count(count, 2, sizeof(Value) + sizeof(std::string) + kNodeOverhead)) return false;
    for (; count > 0; --count) {
      std::string key;
      Value item;
      if (!Text(key) || !Get(internal::kType<Value>, &item)) return false;
      if (!dict.emplace(std::move(key), std::move(item)).second) return Fail("a key twice");
    }
    return true;
  }
  bool GetValue(Value& value) {
    uint8_t which;
    if (!Byte(which)) return false;
    Value::Tree& tree = value.tree();
    switch (which) {
      case 0:
        tree.emplace<0>();
        return true;
      case 1:
        return GetBool(tree.emplace<1>());
      case 2:
        return Raw(&tree.emplace<2>(), 8);
      case 3:
        return Raw(&tree.emplace<3>(), 8);
      case 4:
        return Text(tree.emplace<4>());
      case 5:
        return GetItems(tree.emplace<5>());
      case 6:
        return GetItems(tree.emplace<6>().items);
      case 7:
        return GetDict(tree.emplace<7>());
      case 8:
        return GetTensor(tree.emplace<8>());
      default:
        return Fail("not a Value");
    }
  }

  const char* const start_;
  const char* at_;
  const char* const end_;
  const std::span<const Buffer> buffers_;
  size_t next_ = 0;  // buffer
  const bool open_ended_;
  int open_depth_ = -1;  // the depth of a message's members; -1: it is no message
  int depth_;
  size_t budget_;
  const char* error_ = nullptr;
  absl::Status status_;  // of a user's Codec<T>, or of a missing buffer
};

}  // namespace

Buffer Missing(size_t size, const absl::Status& why) { return {nullptr, size, std::make_shared<absl::Status>(why)}; }

absl::Status CheckThere(const Buffer& buffer) {
  if (buffer.data != nullptr || buffer.size == 0) return absl::OkStatus();
  if (buffer.owner == nullptr) return absl::InvalidArgumentError("a buffer without data");
  return *static_cast<const absl::Status*>(buffer.owner.get());
}

absl::Status Decode(const Type& type, void* value, std::string_view head, std::span<const Buffer> buffers,
                    const Limits& limits) {
  size_t budget = limits.bytes;
  if (budget == 0) {
    budget = (size_t{1} << 30) + 4 * head.size();
    for (const Buffer& buffer : buffers) budget += 4 * buffer.size;
  }
  return Guarded([&] { return Decoder(head, buffers, limits, budget).Run(type, value); });
}

}  // namespace twinkle::codec
