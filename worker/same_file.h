// Opens files that are to be executed, linked to or sent, and compares them by their digest.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// Opens the regular file at a path for its path alone (O_PATH). It can be executed, need not be readable, and opening
// it does not wait for the other end of a FIFO. InvalidArgument: it is no regular file; otherwise the kernel's error
// (NotFound: there is none).
absl::StatusOr<base::Fd> OpenForPath(const std::string& path);

// Opens the regular file at a path for reading. Errors as OpenForPath.
absl::StatusOr<base::Fd> OpenForReading(const std::string& path);

// Opens the file at a path if it has this SHA-256; with an empty digest, any regular file, as OpenForPath. Blocks while
// the file is read. FailedPrecondition: it is another file.
absl::StatusOr<base::Fd> OpenIfSame(const std::string& path, const std::string& digest);

}  // namespace twinkle::worker
