#include "runtime/actor/failure.h"

#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>

#include "runtime/actor/error_detail.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

std::string What(const CallFacts& facts) {
  return base::CallText(facts.class_name, facts.method, facts.file, facts.line);
}

absl::Status Failed(const CallFacts& facts, const absl::Status& cause) {
  if (cause.ok()) return cause;
  const std::string where =
      facts.group.empty() ? std::string("in this process")
                          : absl::StrCat("on rank ", facts.rank, " of group '", facts.group, "' (", facts.place, ")");
  absl::Status status = base::Annotate(cause, absl::StrCat(ShortName(facts.class_name), ".", facts.method, " failed ",
                                                           where, " [", facts.file, ":", facts.line, "]"));
  if (!cause.GetPayload(kDetailUrl)) {
    status.SetPayload(kDetailUrl, absl::Cord(DetailText(facts)));
  }
  return status;
}

absl::Status KilledAt(absl::string_view class_name, absl::string_view file, int line) {
  return absl::AbortedError(absl::StrCat(ShortName(class_name), ".component().Kill() [", file, ":", line, "]"));
}

absl::Status OfEndedSession(absl::string_view class_name) {
  return absl::FailedPreconditionError(
      absl::StrCat(ShortName(class_name), ".component() is of a session that has ended: make it anew"));
}

absl::Status GroupAborted(absl::string_view group, const absl::Status& why) {
  return absl::AbortedError(absl::StrCat("group '", group, "' was aborted: ", why.message()));
}

}  // namespace twinkle::actor
