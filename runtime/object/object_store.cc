#include "runtime/object/object_store.h"

#include "runtime/base/status.h"

namespace twinkle::object {

absl::StatusOr<codec::Described> Select(const codec::Described& value, const Selection& selection) {
  TWINKLE_ASSIGN_OR_RETURN(const codec::Described member, codec::Member(value, selection.path));
  if (selection.picks.empty()) return member;
  const std::shared_ptr<void> taken = member.type->make();
  TWINKLE_RETURN_IF_ERROR(codec::Take(*member.type, taken.get(), member.value.get(), selection.picks));
  return codec::Described{member.type, taken};
}

absl::StatusOr<codec::Encoded> EncodeSelected(const codec::Described& value, Selection selection) {
  if (selection.picks.size() == 1) {
    TWINKLE_ASSIGN_OR_RETURN(const codec::Described member, codec::Member(value, selection.path));
    const size_t leaves = codec::LeafCount(codec::RowsOf(*member.type, member.value.get()));
    selection.rows.emplace(leaves, selection.picks[0]);
    selection.picks.clear();
  }
  TWINKLE_ASSIGN_OR_RETURN(const codec::Described selected, Select(value, selection));
  return codec::Encode(selected, selection.rows ? &*selection.rows : nullptr);
}

absl::Status CheckSameJob(base::JobKey theirs, base::JobKey ours) {
  if (theirs == ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "it belongs to a session that has ended: make it anew in this one, or fetch its value with Get() before Finish() "
      "and give that");
}

}  // namespace twinkle::object
