#include <absl/strings/str_cat.h>

#include "runtime/base/status.h"
#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"

namespace twinkle::codec {
namespace {

// Takes rows of each member of a record. A member without rows is copied as a whole.
absl::Status TakeMembers(const Type& type, void* to, const void* from, const std::vector<Range>& picks) {
  const std::ptrdiff_t distance = static_cast<char*>(to) - static_cast<const char*>(from);
  absl::Status status;
  EachMember(type, const_cast<void*>(from), [&](void* member, const Type& member_type) {
    void* const target = static_cast<char*>(member) + distance;
    if (!status.ok()) return;
    if (LeafCount(RowsOf(member_type, member)) > 0) {
      status = Take(member_type, target, member, picks);
    } else if (member_type.copy != nullptr) {
      member_type.copy(target, member);
    } else {
      status =
          absl::InvalidArgumentError(absl::StrCat("cannot take rows of ", type.name, ": a member cannot be copied"));
    }
  });
  return status;
}

}  // namespace

absl::Status Take(const Type& type, void* to, const void* from, const std::vector<Range>& picks) {
  if (type.kind == internal::Kind::kRecord) return TakeMembers(type, to, from, picks);
  const size_t leaves = LeafCount(RowsOf(type, from));
  if (picks.size() == 1) return Slice(type, to, from, std::vector<Range>(leaves, picks[0]));
  std::vector<std::shared_ptr<void>> parts;
  std::vector<void*> pointers;
  for (const Range& pick : picks) {
    parts.push_back(type.make());
    pointers.push_back(parts.back().get());
    TWINKLE_RETURN_IF_ERROR(Slice(type, pointers.back(), from, std::vector<Range>(leaves, pick)));
  }
  return Concatenate(type, to, pointers, /*move=*/true);
}

std::optional<MemberPlace> MemberAt(const Type& type, void* object, const std::vector<uint32_t>& path) {
  MemberPlace place{object, &type};
  for (uint32_t number : path) {
    if (place.type->kind != internal::Kind::kRecord) return std::nullopt;
    MemberPlace found;
    uint32_t next = 0;
    EachMember(*place.type, place.object, [&](void* member, const Type& member_type) {
      if (next++ == number) found = {member, &member_type};
    });
    if (found.type == nullptr) return std::nullopt;
    place = found;
  }
  return place;
}

absl::StatusOr<Described> Member(const Described& value, const std::vector<uint32_t>& path) {
  if (path.empty()) return value;
  const auto place = MemberAt(*value.type, const_cast<void*>(value.value.get()), path);
  if (!place) return absl::InvalidArgumentError(absl::StrCat(value.type->name, " has no such member"));
  return Described{place->type, std::shared_ptr<const void>(value.value, place->object)};
}

namespace {

// The index behind the node at `at` and all nodes below it.
size_t After(const Rows& rows, size_t at) {
  size_t next = at + 1;
  for (uint32_t i = 0; i < rows[at].children && next < rows.size(); ++i) next = After(rows, next);
  return next;
}

}  // namespace

Rows Subtree(const Rows& rows, const std::vector<uint32_t>& path) {
  size_t at = 0;
  for (uint32_t number : path) {
    if (number >= rows[at].children) return Rows(1);  // a record without rows has no nodes below it
    size_t child = at + 1;
    for (uint32_t i = 0; i < number && child < rows.size(); ++i) child = After(rows, child);
    if (child >= rows.size()) return Rows(1);  // the tree comes from a peer, and makes no sense
    at = child;
  }
  return {rows.begin() + static_cast<std::ptrdiff_t>(at), rows.begin() + static_cast<std::ptrdiff_t>(After(rows, at))};
}

}  // namespace twinkle::codec
