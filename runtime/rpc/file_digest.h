// Digests of files.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace twinkle::rpc {

// The SHA-256 of a file's contents, in hexadecimal. Blocks while it reads. The descriptor's file position is neither
// used nor changed. Errors: those of pread.
absl::StatusOr<std::string> FileDigest(int fd);

}  // namespace twinkle::rpc
