#include "runtime/base/cancellation.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::base {
namespace {

thread_local Cancellation* current = nullptr;

}  // namespace

bool Cancellation::Cancel(const absl::Status& why) {
  MutexLock lock(&mutex_);
  if (cancelled_.load(std::memory_order_relaxed)) return false;
  why_ = why;
  cancelled_.store(true);
  for (const Event* event : waited_for_) event->Nudge();  // under the lock: their waiters may not leave meanwhile
  return true;
}

absl::Status Cancellation::why() const {
  MutexLock lock(&mutex_);
  return why_;
}

bool Cancellation::WaitUntil(const Event& event, Instant deadline) {
  if (event.IsSet()) return true;
  {
    MutexLock lock(&mutex_);
    waited_for_.push_back(&event);
  }
  const bool set = event.WaitUntil(deadline, [this] { return IsCancelled(); });
  MutexLock lock(&mutex_);
  waited_for_.erase(std::find(waited_for_.begin(), waited_for_.end(), &event));
  return set;
}

Cancellation* CurrentCancellation() { return current; }

CancellationScope::CancellationScope(Cancellation* cancellation) : outer_(std::exchange(current, cancellation)) {}
CancellationScope::~CancellationScope() { current = outer_; }

bool WaitUnlessCancelled(const Event& event, Instant deadline) {
  return current == nullptr ? event.WaitUntil(deadline) : current->WaitUntil(event, deadline);
}

absl::Status GivenUp(absl::string_view what, const absl::Status& why) {
  const bool tells = absl::IsDeadlineExceeded(why) || absl::IsAborted(why);
  const absl::StatusCode code = tells ? why.code() : absl::StatusCode::kCancelled;
  return absl::Status(code, absl::StrCat(what, ": the call that it was made for has ended: ", why.message()));
}

}  // namespace twinkle::base
