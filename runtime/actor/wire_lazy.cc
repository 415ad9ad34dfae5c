#include "runtime/actor/wire_lazy.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/object/assemble.h"

namespace twinkle::actor {

using object::Join;
using object::LazyPlan;
using object::LazyRows;
using object::PartRead;
using object::PlanPart;
using object::PlanSource;

namespace {

PlannedArgument PiecesOfShards(const LazyRows& made_of, const dispatch::Part& part) {
  PlannedArgument argument;
  std::vector<object::Piece> pieces = object::PiecesOf(*made_of.join, made_of.shard_rows, part);
  argument.pieces.reserve(pieces.size());
  for (object::Piece& piece : pieces) {
    WirePiece& wire = argument.pieces.emplace_back();
    wire.object = made_of.shards[piece.shard].object->ref();
    wire.rows = std::move(piece.rows);
    wire.item = *made_of.join == Join::kList;
  }
  return argument;
}

absl::StatusOr<WirePiece> WirePieceOf(const LazyPlan& plan, PartRead::Piece piece) {
  const PlanSource& source = plan.sources[piece.source];
  WirePiece wire;
  if (source.object == nullptr) {
    TWINKLE_ASSIGN_OR_RETURN(codec::Encoded encoded,
                             object::EncodeSelected(source.value, {source.path, std::nullopt, std::move(piece.picks)}));
    wire.value = Pack(std::move(encoded));
    return wire;
  }
  wire.object = source.object->ref();
  wire.path = source.path;
  wire.picks = std::move(piece.picks);
  wire.item = piece.item;
  return wire;
}

absl::StatusOr<PlannedArgument> PiecesOfPlan(const LazyPlan& plan) {
  PlannedArgument argument;
  for (PartRead& read : ReadsOf(plan)) {
    for (PartRead::Piece& piece : read.pieces) {
      TWINKLE_ASSIGN_OR_RETURN(WirePiece wire, WirePieceOf(plan, std::move(piece)));
      argument.pieces.push_back(std::move(wire));
    }
    argument.parts.push_back({std::move(read.target), read.pieces.size(), std::move(read.order)});
  }
  const bool simple = argument.parts.size() == 1 && argument.parts[0].target.empty() && argument.parts[0].order.empty();
  if (simple) argument.parts.clear();
  return argument;
}

// Whether a value of type `whole` has the part, whose sources' rows it may be made of.
bool HasPart(const codec::Type& whole, void* any, const PlanPart& part, const std::vector<WireSource>& sources) {
  const auto target = codec::MemberAt(whole, any, part.target);
  if (!target) return false;
  const bool items =
      std::any_of(part.runs.begin(), part.runs.end(), [&](const object::Run& run) { return sources[run.source].item; });
  return !items || object::ItemType(*target->type) != nullptr;
}

}  // namespace

// ---- the caller's
absl::StatusOr<WireArgument> WireRows(const LazyRows& made_of, const dispatch::Part& part) {
  if (!made_of.plan) return WireArgument(PiecesOfShards(made_of, part));
  if (part.whole || part.ranges.empty()) return PiecesOfPlan(*made_of.plan);
  // All lists and tensors in it have the same rows.
  TWINKLE_ASSIGN_OR_RETURN(const LazyPlan rows, object::TakeRange(*made_of.plan, part.ranges[0]));
  return PiecesOfPlan(rows);
}

absl::StatusOr<WireArgument> WireReference(const internal::LazyCore& lazy) {
  LazyArgument reference{ToWire(lazy.status()), lazy.origin().what.text(), {}, {}, {}};
  if (!lazy.status().ok() || lazy.type() == nullptr) return WireArgument(std::move(reference));
  const LazyRows& made_of = lazy.made_of();
  if (!made_of.OfObjects()) {
    TWINKLE_ASSIGN_OR_RETURN(codec::Encoded encoded, codec::Encode({lazy.type(), lazy.value()}));
    reference.value = Pack(std::move(encoded));
  } else if (made_of.plan) {
    for (const PlanSource& source : made_of.plan->sources) {
      reference.sources.push_back(
          {source.object->ref(), source.path, source.item ? codec::Rows() : source.rows, source.item});
    }
    reference.parts = made_of.plan->parts;
  } else {
    const bool items = *made_of.join == Join::kList;
    reference.sources.reserve(made_of.shards.size());
    for (size_t i = 0; i < made_of.shards.size(); ++i) {
      reference.sources.push_back(
          {made_of.shards[i].object->ref(), {}, items ? codec::Rows() : made_of.shard_rows[i], items});
    }
  }
  return WireArgument(std::move(reference));
}

// ---- the worker's
absl::Status CheckFits(const LazyArgument& reference, const codec::Type* collected) {
  const absl::Status wrong = absl::InvalidArgumentError("a reference that makes no sense");
  const std::vector<WireSource>& sources = reference.sources;
  if (collected == nullptr || sources.empty()) {
    return collected == nullptr && sources.empty() ? absl::OkStatus() : wrong;
  }
  if (reference.parts.empty()) {
    return !sources[0].item || object::ItemType(*collected) != nullptr ? absl::OkStatus() : wrong;
  }
  const std::shared_ptr<void> any = collected->make();
  const bool fit = std::all_of(reference.parts.begin(), reference.parts.end(),
                               [&](const PlanPart& part) { return HasPart(*collected, any.get(), part, sources); });
  return fit ? absl::OkStatus() : wrong;
}

LazyRows MadeOf(const LazyArgument& reference, const std::shared_ptr<object::ObjectStore>& store) {
  LazyRows made_of;
  if (!reference.parts.empty()) {
    LazyPlan& plan = made_of.plan.emplace();
    plan.parts = reference.parts;
    for (const WireSource& source : reference.sources) {
      plan.sources.push_back({std::make_shared<object::HeldObject>(store, source.object),
                              {},
                              source.path,
                              source.item ? object::RowsOfItem() : source.rows,
                              source.item});
    }
    return made_of;
  }
  made_of.shard_rows.reserve(reference.sources.size());
  for (const WireSource& source : reference.sources) {
    made_of.shards.push_back({std::make_shared<object::HeldObject>(store, source.object), {}, 0, std::nullopt});
    made_of.shard_rows.push_back(source.rows);
  }
  made_of.join = Join::kConcat;
  if (reference.sources.size() == 1) made_of.join = Join::kSingle;
  if (!reference.sources.empty() && reference.sources[0].item) made_of.join = Join::kList;
  return made_of;
}

}  // namespace twinkle::actor
