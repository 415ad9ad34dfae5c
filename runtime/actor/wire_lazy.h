// A lazy that is an argument, as it stands in a call: its value, to be made of pieces, or the reference itself, which
// says what the lazy is made of. Both ends are here.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>

#include "runtime/actor/wire_arguments.h"
#include "runtime/codec/codec.h"
#include "runtime/dispatch/dispatch.h"
#include "runtime/object/lazy_core.h"
#include "runtime/object/lazy_rows.h"

namespace twinkle::actor {

// ---- the caller's
// A part of its value, whose rows are known. What is in this process goes along.
absl::StatusOr<WireArgument> WireRows(const object::LazyRows& made_of, const dispatch::Part& part);
// The reference, of a lazy that has settled: what it is made of, where that is objects alone, else its value, which is
// here then.
absl::StatusOr<WireArgument> WireReference(const internal::LazyCore& lazy);

// ---- the worker's
// InvalidArgument: a lazy that collects `collected` (null: void) is not made of that. It has passed CheckMessage.
absl::Status CheckFits(const LazyArgument& reference, const codec::Type* collected);
// What its lazy is made of. Takes one reference of this process to each source, which are to be retained.
object::LazyRows MadeOf(const LazyArgument& reference, const std::shared_ptr<object::ObjectStore>& store);

}  // namespace twinkle::actor
