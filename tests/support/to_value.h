// Any described value as a dynamic Value, so that typed and dynamic code can be compared.
#pragma once

#include <twinkle/internal/type.h>
#include <twinkle/value.h>

namespace twinkle::tests {

// Lists, arrays and sets become lists, tuples and pairs tuples, string-keyed maps dicts and others
// lists of pairs; a struct, whose members have no names here, a dict with the keys "0", "1", ...;
// optionals and variants what they hold, or null; Bytes and protobuf messages strings.
Value ToValue(const internal::Type& type, const void* value);

template <class T>
Value ToValue(const T& value) {
  return ToValue(internal::kType<T>, &value);
}

// Whether two values are the same but for their types: numbers of equal value, within 1e-9 relative
// and nan equal to nan, and tuples and lists of the same items agree.
bool AgreeInValue(const Value& a, const Value& b);

}  // namespace twinkle::tests
