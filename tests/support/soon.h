// How long a test waits for what comes at once, unless something is broken.
#pragma once

#include <absl/time/time.h>

#include "runtime/base/clock.h"

namespace twinkle::tests {

inline base::Instant Soon() { return base::Now() + absl::Seconds(60); }

}  // namespace twinkle::tests
