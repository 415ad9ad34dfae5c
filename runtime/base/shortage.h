// Shortages of a process: which resource is used up, and the way out.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace twinkle::base {

// The resource that an error of a system call says is used up. Empty: none, or none that another process could give
// back.
absl::string_view ShortageOf(int error);

// absl::ErrnoToStatus, which also says, if open files are used up, how many there may be and what allows more.
absl::Status ErrnoStatus(int error, absl::string_view what);

// Checks that this process can do its part in a cluster. ResourceExhausted: too few open files, or too small a stack,
// for gRPC, which would hang or abort; FailedPrecondition: no /proc, or no /dev/null. The message has the way out.
absl::Status CheckProcess();

}  // namespace twinkle::base
