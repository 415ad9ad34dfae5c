// The start of a service: what it needs of its process, whatever started it (a shell, cron, a program that ignores
// signals).
#pragma once

#include <sys/resource.h>

namespace twinkle::base {

// Prepares the process. To be called before the first thread. SIGCHLD and SIGTERM get their default disposition,
// SIGPIPE is ignored, and no signals are blocked but SIGINT and SIGTERM (end_signals.h). Closed standard descriptors
// become /dev/null, so that no other file gets their numbers. The limit of open files becomes the hard limit. Returns
// the limit of open files as it was, for processes that the service starts.
rlimit BeginService();

}  // namespace twinkle::base
