// Sums and means over the numbers in described values.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <vector>

#include "runtime/codec/codec.h"

namespace twinkle::dispatch {

// A sum or mean, and the type that NumPy would have given it. Plain numbers, of whatever size, are
// reduced as int64 or float64; tensors keep float32, bfloat16 and float16, and the number is
// rounded to that; floats of 8 bits become float32.
struct Reduced {
  bool integer = false;  // a sum of integers and bools
  int64_t as_integer = 0;
  double as_float = 0;                 // when not `integer`
  absl::string_view type = "float64";  // of a sum of integers "int64", of unsigned ones "uint64"

  double number() const { return integer ? static_cast<double>(as_integer) : as_float; }
};

// The sum or mean over all elements of all parts: numbers, optionals of them, and lists, arrays, tuples
// and tensors of them, nested; all parts must have one shape. Part i is result i in messages; a
// null part is an absent one. The mean of nothing is nan, the sum of nothing 0.0. InvalidArgument
// by reason, in this order: not_numeric (also of complex tensors), ragged, overflow (a sum of integers that is no
// int64).
absl::StatusOr<Reduced> Reduce(bool mean, const internal::Type& type, const std::vector<void*>& parts);

}  // namespace twinkle::dispatch
