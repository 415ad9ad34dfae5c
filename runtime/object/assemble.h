// Makes values of what was pulled.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/internal/class_info.h>

#include <vector>

#include "runtime/object/lazy_plan.h"
#include "runtime/object/object_store.h"
#include "runtime/object/row_plan.h"

namespace twinkle::object {

// The value that was pulled: a decoded one of the caller's own, or the shared one of this process. Blocks for the
// decoding.
absl::StatusOr<internal::Argument> Materialise(Pulled pulled, const codec::Type& type);

// The type that the pieces of a value of type `whole` have.
const codec::Type& PieceType(Join join, const codec::Type& whole);

// The value of type `whole` made of its pieces.
absl::StatusOr<internal::Argument> JoinPieces(Join join, const codec::Type& whole,
                                              std::vector<internal::Argument> pieces);

// The value of type `whole` made of its parts; `pulled` has all their pieces, in order.
absl::StatusOr<internal::Argument> AssembleParts(const std::vector<PartRead>& parts, const codec::Type& whole,
                                                 PulledParts pulled);

// An argument that may be moved from: the argument itself, or a copy. InvalidArgument for a type that cannot be copied.
absl::StatusOr<internal::Argument> Own(const codec::Type& type, internal::Argument argument);

// What a method may be given: the value, or, when others have it too and it cannot be copied, one of the method's own,
// as a reader in another process would get.
absl::StatusOr<internal::Argument> ForMethod(const codec::Type& type, internal::Argument value);

}  // namespace twinkle::object
