#include "runtime/object/assemble.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/dispatch/collect.h"

namespace twinkle::object {

using internal::Argument;

namespace {

using Arguments = absl::InlinedVector<Argument, 1>;

absl::Status OfAnotherType() { return absl::FailedPreconditionError("its parts are those of another type"); }

}  // namespace

absl::StatusOr<Argument> Materialise(Pulled pulled, const codec::Type& type) {
  if (pulled.value != nullptr) {
    return Argument{std::const_pointer_cast<void>(std::move(pulled.value)), /*exclusive=*/false};
  }
  Argument made{type.make(), /*exclusive=*/true};
  TWINKLE_RETURN_IF_ERROR(codec::Decode(type, made.value.get(), pulled.encoded.head, pulled.encoded.buffers));
  return made;
}

const codec::Type* ItemType(const codec::Type& list) {
  if (list.kind == internal::Kind::kBools) return &internal::kType<bool>;
  return list.kind == internal::Kind::kList || list.kind == internal::Kind::kArrayRef ? list.item : nullptr;
}

absl::StatusOr<Argument> JoinPieces(Join join, const codec::Type& whole, std::span<Argument> pieces) {
  if (join == Join::kSingle || (join == Join::kConcat && pieces.size() == 1)) return std::move(pieces[0]);
  Argument joined{whole.make(), /*exclusive=*/true};
  if (pieces.empty()) return joined;
  std::vector<void*> parts;
  parts.reserve(pieces.size());
  for (const Argument& piece : pieces) parts.push_back(piece.value.get());
  const bool move = std::all_of(pieces.begin(), pieces.end(), [](const Argument& piece) { return piece.exclusive; });
  if (join == Join::kConcat) {
    TWINKLE_RETURN_IF_ERROR(codec::Concatenate(whole, joined.value.get(), parts, move));
  } else {
    TWINKLE_RETURN_IF_ERROR(
        dispatch::JoinResults(Collect::kNone, {}, *ItemType(whole), parts, move, whole, joined.value.get()));
  }
  return joined;
}

absl::StatusOr<Argument> JoinPulled(const codec::Type& whole, std::span<absl::StatusOr<Pulled>> pulled,
                                    absl::FunctionRef<bool(size_t index)> is_item) {
  const codec::Type* const item_type = ItemType(whole);
  if (pulled.empty() && item_type == nullptr) return OfAnotherType();
  Arguments pieces;
  Arguments items;  // that come one after another
  const auto list_items = [&]() -> absl::Status {
    if (items.empty()) return absl::OkStatus();
    TWINKLE_ASSIGN_OR_RETURN(Argument list, JoinPieces(Join::kList, whole, {items.data(), items.size()}));
    pieces.push_back(std::move(list));
    items.clear();
    return absl::OkStatus();
  };
  for (size_t i = 0; i < pulled.size(); ++i) {
    if (!pulled[i].ok()) return pulled[i].status();
    const bool item = is_item(i);
    if (item && item_type == nullptr) return OfAnotherType();
    TWINKLE_ASSIGN_OR_RETURN(Argument value, Materialise(*std::move(pulled[i]), item ? *item_type : whole));
    if (!item) TWINKLE_RETURN_IF_ERROR(list_items());
    (item ? items : pieces).push_back(std::move(value));
  }
  TWINKLE_RETURN_IF_ERROR(list_items());
  return JoinPieces(Join::kConcat, whole, {pieces.data(), pieces.size()});
}

absl::StatusOr<Argument> AssembleParts(const std::vector<PartRead>& parts, const codec::Type& whole,
                                       PulledParts pulled) {
  Argument made{whole.make(), /*exclusive=*/true};
  size_t next = 0;
  for (const PartRead& part : parts) {
    const auto target = codec::MemberAt(whole, made.value.get(), part.target);
    const size_t count = part.pieces.size();
    if (!target || count > pulled.size() - next) return OfAnotherType();
    TWINKLE_ASSIGN_OR_RETURN(Argument joined, JoinPulled(*target->type, {pulled.data() + next, count},
                                                         [&](size_t i) { return part.pieces[i].item; }));
    next += count;
    if (!part.order.empty()) {
      Argument ordered{target->type->make(), /*exclusive=*/true};
      TWINKLE_RETURN_IF_ERROR(codec::Take(*target->type, ordered.value.get(), joined.value.get(), part.order));
      joined = std::move(ordered);
    }
    if (part.target.empty()) return joined;
    TWINKLE_ASSIGN_OR_RETURN(joined, Own(*target->type, std::move(joined)));
    target->type->move(target->object, joined.value.get());
  }
  return made;
}

absl::StatusOr<Argument> Own(const codec::Type& type, Argument argument) {
  if (argument.exclusive) return argument;
  if (type.copy == nullptr)
    return absl::InvalidArgumentError(absl::StrCat("a value of type ", type.name, " cannot be copied"));
  Argument own{type.make(), /*exclusive=*/true};
  type.copy(own.value.get(), argument.value.get());
  return own;
}

absl::StatusOr<internal::Argument> ForMethod(const codec::Type& type, internal::Argument value) {
  if (value.exclusive || type.copy != nullptr) return value;
  TWINKLE_ASSIGN_OR_RETURN(const codec::Encoded encoded, codec::Encode({&type, value.value}));
  const std::shared_ptr<void> own = type.make();
  TWINKLE_RETURN_IF_ERROR(codec::Decode(type, own.get(), encoded.head, encoded.buffers));
  return internal::Argument{own, /*exclusive=*/true};
}

}  // namespace twinkle::object
