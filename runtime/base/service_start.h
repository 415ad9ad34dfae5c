// What a service needs of its process, whatever it was started by: a shell, cron, a program that ignores signals.
#pragma once

#include <sys/resource.h>

namespace twinkle::base {

// Before the first thread. SIGCHLD and SIGTERM have their default, SIGPIPE is ignored, no signal is blocked but SIGINT
// and SIGTERM (end_signals.h); what is closed of the standard descriptors is /dev/null, so that nothing else becomes
// one of them; as many files may be open as the hard limit allows. Returns the limit of open files as it was, for what
// the service starts.
rlimit BeginService();

}  // namespace twinkle::base
