#include "runtime/memory/memory_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/shortage.h"

namespace twinkle::memory {
namespace {

constexpr char kOurFiles[] = "/memfd:twinkle";  // the beginning of their names in /proc

}  // namespace

int OpenFileOf(int pid, int fd, bool writable) {
  const std::string path = absl::StrCat("/proc/", pid, "/fd/", fd);
  char target[sizeof(kOurFiles)] = {};
  const ssize_t length = ::readlink(path.c_str(), target, sizeof(target));
  if (length < 0) return -1;
  if (std::string_view(target, static_cast<size_t>(length)).substr(0, sizeof(kOurFiles) - 1) != kOurFiles) {
    errno = EBADF;
    return -1;
  }
  const int access = writable ? O_RDWR : O_RDONLY;
  return ::open(path.c_str(), access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

MemoryFile::~MemoryFile() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

MemoryFile::MemoryFile(MemoryFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      fd_(std::move(other.fd_)),
      inode_(other.inode_) {}

MemoryFile& MemoryFile::operator=(MemoryFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(fd_, other.fd_);
  std::swap(inode_, other.inode_);
  return *this;
}

absl::StatusOr<MemoryFile> MemoryFile::Make(const char* name, size_t bytes, Others others) {
  rlimit limit{};  // exceeding it would raise a signal
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the limit of file sizes does not allow ", bytes, " bytes"));
  }
  MemoryFile file;
  file.fd_ = base::Fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  void* memory = MAP_FAILED;
  if (file.fd_.valid() && ::ftruncate(file.fd(), static_cast<off_t>(bytes)) == 0) {
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.fd(), 0);
  }
  if (memory != MAP_FAILED) {
    file.data_ = static_cast<std::byte*>(memory);
    file.bytes_ = bytes;
  }
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (others == Others::kRead ? F_SEAL_FUTURE_WRITE : 0);
  struct stat facts {};
  if (memory == MAP_FAILED || ::fcntl(file.fd(), F_ADD_SEALS, seals) != 0 || ::fstat(file.fd(), &facts) != 0) {
    return absl::ResourceExhaustedError(
        base::ErrnoStatus(errno, absl::StrCat("no memory file of ", bytes, " bytes")).message());
  }
  file.inode_ = facts.st_ino;
  return file;
}

absl::StatusOr<MemoryFile> MemoryFile::Open(int pid, int fd, uint64_t inode, size_t bytes, Others others) {
  const std::string path = absl::StrCat("/proc/", pid, "/fd/", fd);
  const bool write = others == Others::kWrite;
  const base::Fd opened(OpenFileOf(pid, fd, write));
  if (!opened.valid()) return base::ErrnoStatus(errno, absl::StrCat(path, " cannot be opened"));
  struct stat facts {};
  const int seals = ::fcntl(opened.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(opened.get(), &facts) != 0 ||
      static_cast<uint64_t>(facts.st_size) != bytes || facts.st_ino != inode) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not the memory that it should be"));
  }
  void* const memory =
      ::mmap(nullptr, bytes, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_NORESERVE, opened.get(), 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, absl::StrCat(path, " cannot be mapped"));
  MemoryFile file;
  file.data_ = static_cast<std::byte*>(memory);
  file.bytes_ = bytes;
  file.inode_ = inode;
  return file;
}

}  // namespace twinkle::memory
