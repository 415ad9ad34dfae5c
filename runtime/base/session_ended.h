// What ends because the session does.
#pragma once

#include <absl/status/status.h>

namespace twinkle::base {

// Cancelled, "the session has ended": of calls, pulls and whatever else was under way when it ended, or came later.
inline absl::Status SessionEnded() { return absl::CancelledError("the session has ended"); }

}  // namespace twinkle::base
