#include <absl/strings/str_cat.h>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"
#include "runtime/codec/guarded.h"
#include "runtime/codec/range_cursor.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

// Copies rows of one value. The first failure counts (error_). For one thread at a time.
class Slicer {
 public:
  explicit Slicer(const std::vector<Range>& ranges) : ranges_(ranges) {}

  absl::Status Run(const Type& type, void* to, const void* from) {
    Go(type, to, from);
    if (const char* const why = ranges_.End(); why != nullptr) Fail(why);
    if (error_ == nullptr) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("cannot slice ", type.name, ": ", error_));
  }

 private:
  void Fail(const char* why) {
    if (error_ == nullptr) error_ = why;
  }
  Range Take(int64_t rows) {
    Range range;
    if (const char* const why = ranges_.Next(rows, &range); why != nullptr) Fail(why);
    return range;
  }
  void Copy(const Type& t, void* to, const void* from) {
    if (t.copy == nullptr) return Fail("a member cannot be copied");
    t.copy(to, from);
  }
  void Go(const Type& t, void* to, const void* from) {
    if (!t.can_split) return Copy(t, to, from);
    switch (t.kind) {
      case Kind::kList:
      case Kind::kArrayRef:
      case Kind::kBools: {
        const Range r = Take(static_cast<int64_t>(t.length(from)));
        if (t.copy_rows == nullptr) return Fail("its items cannot be copied");
        return t.copy_rows(to, from, static_cast<size_t>(r.begin), static_cast<size_t>(r.end));
      }
      case Kind::kTensor:
        return GoTensor(As<Tensor>(to), As<Tensor>(from));
      case Kind::kClass: {
        const Range r = Take(t.rows(from));
        if (error_ == nullptr) t.slice(to, from, r.begin, r.end);
        return;
      }
      case Kind::kRecord: {  // a member has the same offset in `from` and `to`
        const ptrdiff_t distance = static_cast<char*>(to) - static_cast<const char*>(from);
        return EachMember(t, Mutable(from), [&](void* member, const Type& type) {
          Go(type, static_cast<char*>(member) + distance, member);
        });
      }
      case Kind::kDict:
        return GoDict(t, to, from);
      case Kind::kOptional:
        if (t.length(from) == 0) {
          t.resize(to, 0);
          return;
        }
        return Go(*t.item, t.resize(to, 1), t.data(Mutable(from)));
      case Kind::kVariant: {
        const size_t which = t.length(from);
        if (which >= t.count) return Fail("a variant without a value");
        return Go(*t.alternatives[which], t.resize(to, which), t.data(Mutable(from)));
      }
      case Kind::kValue:
        As<Value>(to) = OfValue(As<Value>(from));
        return;
      default:
        return Copy(t, to, from);
    }
  }
  void GoTensor(Tensor& to, const Tensor& from) {
    if (from.rows() < 0) {
      to = from;
      return;
    }
    const Range r = Take(from.rows());
    to = from.Rows(r.begin, r.end);
  }
  void GoDict(const Type& t, void* to, const void* from) {
    std::vector<std::pair<void*, void*>> entries;
    EachEntry(t, Mutable(from), [&](void* key, void* value) { entries.emplace_back(key, value); });
    size_t next = 0;
    FillEntries(t, to, entries.size(), [&](void* key, void* value) {
      t.key->copy(key, entries[next].first);
      Go(*t.item, value, entries[next].second);
      ++next;
      return true;
    });
  }
  Value OfValue(const Value& value) {
    if (const auto* list = value.get_if<Value::List>()) {
      const Range r = Take(static_cast<int64_t>(list->size()));
      return Value::List(list->begin() + r.begin, list->begin() + r.end);
    }
    if (const auto* tensor = value.get_if<Tensor>()) {
      Tensor part;
      GoTensor(part, *tensor);
      return part;
    }
    if (const auto* dict = value.get_if<Value::Dict>()) {
      Value::Dict parts;
      for (const auto& [key, item] : *dict) parts.emplace(key, OfValue(item));
      return parts;
    }
    return value;
  }

  RangeCursor ranges_;
  const char* error_ = nullptr;
};

}  // namespace

absl::Status Slice(const Type& type, void* to, const void* from, const std::vector<Range>& ranges) {
  return Guarded([&] { return Slicer(ranges).Run(type, to, from); });
}

}  // namespace twinkle::codec
