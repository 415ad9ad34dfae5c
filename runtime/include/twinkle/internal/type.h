// Type: the description of a C++ type that can be sent, one constant for each type. Encoding, rows, slicing, joining,
// reducing and fingerprints are ordinary functions over it (runtime/codec, runtime/dispatch).
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <twinkle/internal/facts.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace twinkle::internal {

// Is called with each member of a record, tuple or class, in order.
struct Visitor {
  void (*visit)(Visitor& self, void* member, const Type& type);
  bool loading = false;  // members are about to be filled in
};
// Is called with each entry of a dict or set (in a set the value is null). Returning false ends the walk.
struct Entries {
  bool (*visit)(Entries& self, void* key, void* value);
};

// The description of one C++ type. Pointers that a kind does not use are null. `void*` arguments point to an object of
// the described type.
struct Type {
  Kind kind;
  NumberKind number = NumberKind::kNone;  // kBits, kBool
  bool bulk = false;                      // its bytes are its encoding (no padding, no bool)
  bool can_split = false;                 // has, or may have, lists or tensors that dispatch splits
  bool has_rows = false;                  // kClass with rows() and Slice()
  bool whole = false;                     // kClass with kTwinkleWhole
  bool string_key = false;                // kDict
  bool empty = false;                     // kRecord without members
  uint32_t size = 0;                      // sizeof
  uint32_t align = 1;
  uint32_t least = 1;  // fewest encoded bytes
  uint32_t count = 0;  // kArray: length; kVariant: alternatives; kRecord, kTuple: members
  absl::string_view name;
  const Type* item = nullptr;  // element, mapped or contained type; kForeign: the wire type
  const Type* key = nullptr;
  const Type* const* alternatives = nullptr;

  std::shared_ptr<void> (*make)() = nullptr;           // default constructed
  void (*copy)(void* to, const void* from) = nullptr;  // assigns; null for types that cannot be copied
  void (*move)(void* to, void* from) = nullptr;        // assigns
  void (*members)(void* object, Visitor&) = nullptr;   // kRecord, kTuple, kClass
  size_t (*length)(const void*) = nullptr;             // lists, dicts, sets; kOptional: 0 or 1; kVariant: which
  void* (*data)(void*) = nullptr;                      // lists: first item; kOptional, kVariant: what it holds
  // Lists: that many new items; kOptional: makes or resets; kVariant: makes the nth. Returns as data() does.
  void* (*resize)(void*, size_t count) = nullptr;
  void (*assign)(void*, const void* items, size_t count) = nullptr;  // lists of bulk items
  // kArrayRef of bulk items: refers to them.
  void (*adopt)(void*, std::shared_ptr<const void> owner, const void* items, size_t count) = nullptr;
  std::shared_ptr<const void> (*owner)(const void*) = nullptr;                        // kArrayRef: of its items
  void (*copy_rows)(void* to, const void* from, size_t begin, size_t end) = nullptr;  // lists
  void (*join)(void* to, void* const* parts, size_t count, bool move) = nullptr;      // lists
  void (*each)(void*, Entries&) = nullptr;                                            // dicts, sets
  bool (*fill)(void*, size_t count,
               Entries&) = nullptr;                // dicts, sets: entries made by the visitor; false: a key twice
  std::string (*to_bytes)(const void*) = nullptr;  // kBools, kMessage
  bool (*from_bytes)(void*, const void* bytes, size_t count) = nullptr;
  int64_t (*rows)(const void*) = nullptr;  // kClass with has_rows
  void (*slice)(void* to, const void* from, int64_t begin, int64_t end) = nullptr;
  absl::Status (*validate)(const void*) = nullptr;          // kClass: of what was decoded
  std::shared_ptr<void> (*to_wire)(const void*) = nullptr;  // kForeign
  absl::Status (*from_wire)(void* to, void* wire) = nullptr;
};

template <class T>
T& As(void* object) {
  return *static_cast<T*>(object);
}
template <class T>
const T& As(const void* object) {
  return *static_cast<const T*>(object);
}

template <class T>
constexpr Type MakeType();
template <class T>
inline constexpr Type kType = MakeType<T>();

}  // namespace twinkle::internal

#include <twinkle/internal/type_impl.h>  // IWYU pragma: export
