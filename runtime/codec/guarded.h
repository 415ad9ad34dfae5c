// Keeps what the user's serialize(), Slice() or Codec<T> throws from leaving the codec.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <new>

#include "runtime/base/thrown.h"

namespace twinkle::codec {

// f's status or StatusOr; Unknown with its what() when it throws, ResourceExhausted when there is no memory.
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
