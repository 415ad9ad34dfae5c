#include "runtime/rpc/near/probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/memory/memory_file.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMostNonceBytes = 4096;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Probe::Probe() : file_(::memfd_create("twinkle.probe", MFD_CLOEXEC | MFD_ALLOW_SEALING)), nonce_(NewSecret()) {
  const bool written = there() && ::write(fd(), nonce_.data(), nonce_.size()) == static_cast<ssize_t>(nonce_.size()) &&
                       ::fcntl(fd(), F_ADD_SEALS, kSeals) == 0;
  if (!written) file_.Reset();
}

absl::Status Probe::Check(int pid, int fd, const std::string& nonce) {
  if (nonce.empty() || nonce.size() > kMostNonceBytes) return absl::InvalidArgumentError("a nonce of no such size");
  const base::Fd file(memory::OpenFileOf(pid, fd));
  if (!file.valid()) return absl::ErrnoToStatus(errno, "the probe cannot be opened");
  std::string content(nonce.size(), '\0');
  if (::fcntl(file.get(), F_GET_SEALS) != kSeals ||
      ::pread(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()) ||
      content != nonce) {
    return absl::FailedPreconditionError("it is another file");
  }
  return absl::OkStatus();
}

}  // namespace twinkle::rpc
