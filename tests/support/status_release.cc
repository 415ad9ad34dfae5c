// The release of an absl::Status, compiled for the thread sanitizer. Distributions build Abseil without it, so that the
// sanitizer sees who reads the text that several threads share, and who frees it, but not that the last who let go of
// it knew of all others: a race, it says. What an executable defines is used instead of what the shared library has.
#include <absl/base/config.h>
#include <absl/status/internal/status_internal.h>
#include <absl/status/status.h>

#include <atomic>
#include <cstdint>

#if ABSL_LTS_RELEASE_VERSION < 20240116  // later ones count elsewhere
namespace absl {
ABSL_NAMESPACE_BEGIN

void Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}

ABSL_NAMESPACE_END
}  // namespace absl
#endif
