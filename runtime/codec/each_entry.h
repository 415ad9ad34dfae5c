// Walks over the entries of a dict or set, and over the members of a record, by a lambda.
#pragma once

#include <twinkle/internal/type.h>

#include <utility>

namespace twinkle::codec {

// The object without its const. A Type's functions take objects that may be changed, but do not change them for those
// who only read.
inline void* Mutable(const void* object) { return const_cast<void*>(object); }

// Calls f(key, value) for each entry of a dict or set; value is null in a set.
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

// Fills a dict or set with `count` entries, each made by f(key, value) -> bool. False: f returned false, or a key came
// twice.
template <class F>
bool FillEntries(const internal::Type& type, void* dict, size_t count, F&& f) {
  struct Fill : internal::Entries {
    F& f;
  };
  Fill fill{{[](internal::Entries& self, void* key, void* value) { return static_cast<Fill&>(self).f(key, value); }},
            f};
  return type.fill(dict, count, fill);
}

// Calls f(member, type) for each member of a record, tuple or class.
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
