// Makes values of what was pulled.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/internal/class_info.h>

#include <cstddef>
#include <span>
#include <vector>

#include "runtime/object/lazy_plan.h"
#include "runtime/object/object_store.h"
#include "runtime/object/row_plan.h"

namespace twinkle::object {

// The value that was pulled: a decoded one of the caller's own, or the shared one of this process. Blocks for the
// decoding.
absl::StatusOr<internal::Argument> Materialise(Pulled pulled, const codec::Type& type);

// The type of the items of such a list; null: it is none.
const codec::Type* ItemType(const codec::Type& list);

// The value of type `whole` made of its pieces, which it takes.
absl::StatusOr<internal::Argument> JoinPieces(Join join, const codec::Type& whole,
                                              std::span<internal::Argument> pieces);

// The value of type `whole` made of what was pulled, in that order: what is an item of it, which is a list then, and
// what has its type. FailedPrecondition: it has no items.
absl::StatusOr<internal::Argument> JoinPulled(const codec::Type& whole, std::span<absl::StatusOr<Pulled>> pulled,
                                              absl::FunctionRef<bool(size_t index)> is_item);

// The value of type `whole` made of its parts; `pulled` has all their pieces, in order.
absl::StatusOr<internal::Argument> AssembleParts(const std::vector<PartRead>& parts, const codec::Type& whole,
                                                 PulledParts pulled);

// An argument that may be moved from: the argument itself, or a copy. InvalidArgument for a type that cannot be copied.
absl::StatusOr<internal::Argument> Own(const codec::Type& type, internal::Argument argument);

// What a method may be given: the value, or, when others have it too and it cannot be copied, one of the method's own,
// as a reader in another process would get.
absl::StatusOr<internal::Argument> ForMethod(const codec::Type& type, internal::Argument value);

}  // namespace twinkle::object
