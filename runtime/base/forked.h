// Children that a program forks without exec. None of the library's threads is in them, and what it shares with other
// processes (rings, sockets) is still the parent's: such a child leaves all of it alone.
#pragma once

#include <absl/status/status.h>

namespace twinkle::base {

// From here on children know what they are. Thread-safe; idempotent.
void WatchForks();

// Whether this process was forked, without exec, from one that had called WatchForks. Takes no lock.
bool InForkedChild();

// FailedPrecondition, for all that such a child asks for.
absl::Status ForkedChildStatus();

}  // namespace twinkle::base
