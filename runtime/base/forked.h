// Children that a program forks without exec. Such a child has none of the library's threads, and what the library
// shares with other processes (rings, sockets) still belongs to the parent. So the library does nothing in such a
// child.
#pragma once

#include <absl/status/status.h>

namespace twinkle::base {

// Makes InForkedChild work in children that are forked from here on. Thread-safe. May be called again.
void WatchForks();

// Whether this process was forked, without exec, from a process that had called WatchForks. Takes no lock. Thread-safe.
bool InForkedChild();

// FailedPrecondition: the status of all that such a child asks of the library.
absl::Status ForkedChildStatus();

}  // namespace twinkle::base
