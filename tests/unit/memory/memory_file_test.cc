#include "runtime/memory/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/base/fd.h"
#include "tests/support/catch.h"

namespace twinkle::memory {
namespace {

constexpr size_t kFileBytes = 1 << 20;

MemoryFile MakeFile(MemoryFile::Others others) {
  auto file = MemoryFile::Make("twinkle.test", kFileBytes, others);
  REQUIRE(file.ok());
  return *std::move(file);
}

// The file as another process would open it, through /proc.
absl::StatusOr<MemoryFile> Opened(const MemoryFile& file, MemoryFile::Others others) {
  return MemoryFile::Open(::getpid(), file.fd(), file.inode(), file.size(), others);
}

TEST_CASE("two mappings of a file are the same memory") {
  const MemoryFile made = MakeFile(MemoryFile::Others::kWrite);
  const auto opened = Opened(made, MemoryFile::Others::kWrite);
  REQUIRE(opened.ok());
  CHECK(opened->data() != made.data());
  std::memcpy(made.data() + 5, "owner", 5);
  CHECK(std::memcmp(opened->data() + 5, "owner", 5) == 0);
  std::memcpy(opened->data() + kFileBytes - 5, "other", 5);
  CHECK(std::memcmp(made.data() + kFileBytes - 5, "other", 5) == 0);
}

TEST_CASE("what others may only read they cannot map for writing, nor cut, nor write") {
  const MemoryFile made = MakeFile(MemoryFile::Others::kRead);
  REQUIRE(Opened(made, MemoryFile::Others::kRead).ok());
  CHECK(absl::IsPermissionDenied(Opened(made, MemoryFile::Others::kWrite).status()));
  const base::Fd other(OpenFileOf(::getpid(), made.fd(), true));
  REQUIRE(other.valid());
  CHECK(::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, other.get(), 0) == MAP_FAILED);
  CHECK(::write(other.get(), "x", 1) < 0);
  CHECK(::ftruncate(other.get(), 0) < 0);
  made.data()[0] = std::byte{1};  // its owner can
}

TEST_CASE("a file of another inode or size, or that can be cut, is not what was named") {
  const MemoryFile made = MakeFile(MemoryFile::Others::kRead);
  const auto open = [](int fd, uint64_t inode, size_t bytes) {
    return MemoryFile::Open(::getpid(), fd, inode, bytes, MemoryFile::Others::kRead).status();
  };
  CHECK(absl::IsFailedPrecondition(open(made.fd(), made.inode() + 1, kFileBytes)));
  CHECK(absl::IsFailedPrecondition(open(made.fd(), made.inode(), kFileBytes + 1)));
  const base::Fd unsealed(::memfd_create("twinkle.unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(unsealed.get(), kFileBytes) == 0);
  struct stat facts {};
  REQUIRE(::fstat(unsealed.get(), &facts) == 0);
  CHECK(absl::IsFailedPrecondition(open(unsealed.get(), facts.st_ino, kFileBytes)));
}

TEST_CASE("a descriptor that is no memory file of this library is not opened") {
  const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const base::Fd foreign(::memfd_create("foreign", MFD_CLOEXEC));
  for (const base::Fd* fd : {&null, &foreign}) {
    errno = 0;
    CHECK(OpenFileOf(::getpid(), fd->get()) == -1);
    CHECK(errno == EBADF);
  }
  CHECK(absl::IsNotFound(MemoryFile::Open(::getpid(), 1 << 20, 1, 1, MemoryFile::Others::kRead).status()));
}

TEST_CASE("a file beyond the limit of file sizes is an error and not a signal") {
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &usual) == 0);
  const rlimit small{kFileBytes - 1, usual.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const absl::Status status = MemoryFile::Make("twinkle.test", kFileBytes, MemoryFile::Others::kRead).status();
  ::setrlimit(RLIMIT_FSIZE, &usual);
  CHECK(absl::IsResourceExhausted(status));
  CHECK_THAT(std::string(status.message()), Catch::Matchers::ContainsSubstring("the limit of file sizes"));
}

TEST_CASE("without its descriptor a file stays mapped, and nobody opens it any more") {
  MemoryFile made = MakeFile(MemoryFile::Others::kRead);
  const int fd = made.fd();
  const auto opened = Opened(made, MemoryFile::Others::kRead);
  made.CloseFd();
  CHECK_FALSE(MemoryFile::Open(::getpid(), fd, made.inode(), kFileBytes, MemoryFile::Others::kRead).ok());
  made.data()[7] = std::byte{7};
  CHECK(opened->data()[7] == std::byte{7});
  const MemoryFile moved = std::move(made);
  CHECK(moved.data()[7] == std::byte{7});
}

}  // namespace
}  // namespace twinkle::memory
