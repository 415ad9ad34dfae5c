// Walks the entries of a dict or set, and the members of a record, with a lambda.
#pragma once

#include <twinkle/internal/type.h>

#include <utility>

namespace twinkle::codec {

// A type's functions take an object that may be changed; whoever only reads has one that may not.
inline void* Mutable(const void* object) { return const_cast<void*>(object); }

// f(key, value) for each entry; value is null in a set.
template <class F>
void EachEntry(const internal::Type& type, void* dict, F&& f) {
  struct Walk : internal::Entries {
    F& f;
  };
  Walk walk{{[](internal::Entries& self, void* key, void* value) {
              static_cast<Walk&>(self).f(key, value);
              return true;
            }},
            f};
  type.each(dict, walk);
}

// Fills a dict or set with `count` entries, each made by f(key, value) -> bool. False: f said so, or a key came twice.
template <class F>
bool FillEntries(const internal::Type& type, void* dict, size_t count, F&& f) {
  struct Fill : internal::Entries {
    F& f;
  };
  Fill fill{{[](internal::Entries& self, void* key, void* value) { return static_cast<Fill&>(self).f(key, value); }},
            f};
  return type.fill(dict, count, fill);
}

// f(member, type) for each member of a record, tuple or class.
template <class F>
void EachMember(const internal::Type& type, void* object, F&& f) {
  struct Walk : internal::Visitor {
    F& f;
  };
  Walk walk{{[](internal::Visitor& self, void* member, const internal::Type& member_type) {
              static_cast<Walk&>(self).f(member, member_type);
            }},
            f};
  type.members(object, walk);
}

}  // namespace twinkle::codec
