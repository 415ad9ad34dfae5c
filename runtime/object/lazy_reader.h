// How the value of a settled lazy comes here: its parts are read from where they lie, and joined.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>

#include "runtime/object/lazy_origin.h"
#include "runtime/object/lazy_rows.h"

namespace twinkle::object {

using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<void>> answer)>;

// Makes the answer (internal::AnswerOps) with the value. `done` runs once, with the answer or with why there is none.
// What came along with the replies is joined at once, and `done` runs, when the calling thread may do that (`here`).
// What has to be brought is joined on the collector; so is, without `here`, everything. `origin`, which is not void,
// and `rows` are constant and live as long as `done`.
void ReadLazy(const internal::LazyOrigin& origin, const LazyRows& rows, bool here, ReadDone done);

}  // namespace twinkle::object
