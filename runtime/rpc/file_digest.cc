#include "runtime/rpc/file_digest.h"

#include <absl/status/status.h>
#include <absl/strings/escaping.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "runtime/rpc/sha256.h"

namespace twinkle::rpc {

absl::StatusOr<std::string> FileDigest(int fd) {
  Sha256 digest;
  std::vector<char> chunk(1 << 20);
  off_t offset = 0;
  ssize_t got = 0;
  while ((got = ::pread(fd, chunk.data(), chunk.size(), offset)) > 0) {
    digest.Add({chunk.data(), static_cast<size_t>(got)});
    offset += got;
  }
  if (got < 0) return absl::ErrnoToStatus(errno, "a file could not be read");
  return absl::BytesToHexString(digest.Digest());
}

}  // namespace twinkle::rpc
