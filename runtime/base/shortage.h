// What a process is short of, by name, and the way out.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace twinkle::base {

// What an error of a system call says is used up. Empty: nothing, or nothing that another process could give back.
absl::string_view ShortageOf(int error);

// As absl::ErrnoToStatus. Where open files are used up it says how many there may be, and what allows more.
absl::Status ErrnoStatus(int error, absl::string_view what);

// That this process can do its part in a cluster. ResourceExhausted: too few open files, or too small a stack, for
// gRPC, which waits for ever then, or aborts; FailedPrecondition: no /proc, or no /dev/null. With the way out.
absl::Status CheckProcess();

}  // namespace twinkle::base
