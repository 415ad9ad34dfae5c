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

absl::Status CheckSameJob(base::JobKey theirs, base::JobKey ours) {
  if (theirs == ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "it belongs to a session that has ended: make it anew in this one, or fetch its value with Get() before Finish() "
      "and give that");
}

}  // namespace twinkle::object
