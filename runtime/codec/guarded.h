// Guarded: keeps exceptions of a user's serialize(), Slice() or Codec<T> inside the codec.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <new>

#include "runtime/base/thrown.h"

namespace twinkle::codec {

// Calls f() and returns its status or StatusOr. ResourceExhausted: there is no memory. Unknown: it threw; the message
// has the exception's what().
template <class F>
auto Guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there is no memory for a value or a copy of it");
  } catch (...) {
    const absl::Status thrown = base::ThrownStatus();
    return absl::UnknownError(absl::StrCat("a value's own code threw: ", thrown.message()));
  }
}

}  // namespace twinkle::codec
