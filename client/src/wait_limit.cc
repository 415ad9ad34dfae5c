#include <absl/time/clock.h>
#include <twinkle/wait_limit.h>

namespace twinkle {

absl::Duration WaitLimit::Until(absl::Time deadline) { return deadline - absl::Now(); }

}  // namespace twinkle
