// Files that are to be executed or linked to.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// The regular file at that path, opened for its path alone (O_PATH): so it need not be readable, and nothing waits for
// the other end of a FIFO. It can be executed. InvalidArgument: it is no regular file; what the kernel says, NotFound
// for one.
absl::StatusOr<base::Fd> OpenForPath(const std::string& path);

// The same, opened for reading.
absl::StatusOr<base::Fd> OpenForReading(const std::string& path);

// The file at that path, if it has that SHA-256; an empty digest: whatever it is. Blocks while it is read.
// FailedPrecondition: it is another file.
absl::StatusOr<base::Fd> OpenIfSame(const std::string& path, const std::string& digest);

}  // namespace twinkle::worker
