#include "runtime/rpc/file_digest.h"

#include <absl/status/status.h>
#include <absl/strings/escaping.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace twinkle::rpc {

absl::StatusOr<std::string> FileDigest(int fd) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  bool fine = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> chunk(1 << 20);
  off_t offset = 0;
  ssize_t got = 0;
  while (fine && (got = ::pread(fd, chunk.data(), chunk.size(), offset)) > 0) {
    fine = EVP_DigestUpdate(context.get(), chunk.data(), static_cast<size_t>(got)) == 1;
    offset += got;
  }
  if (got < 0) return absl::ErrnoToStatus(errno, "a file could not be read");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!fine || EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) {
    return absl::InternalError("SHA-256 could not be computed");
  }
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace twinkle::rpc
