// Digests of files.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace twinkle::rpc {

// The SHA-256 of what the descriptor's file holds, in hexadecimal. Blocks; the file's position does not matter, nor
// move.
absl::StatusOr<std::string> FileDigest(int fd);

}  // namespace twinkle::rpc
