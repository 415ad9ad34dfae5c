#include "driver/port_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "runtime/base/fd.h"
#include "runtime/base/shortage.h"

namespace twinkle::driver {
namespace {

constexpr int kReaderPollMs = 20;  // a named pipe does not report that its reader has come
constexpr int kMostLinks = 40;     // links to follow, as in the kernel

// The error of the last system call, with the file's name.
absl::Status Failed(const std::string& file) {
  return base::ErrnoStatus(errno, absl::StrCat("the port file ", file, " cannot be written"));
}

bool WriteAll(int fd, const std::string& text) {
  errno = 0;
  if (::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return true;
  if (errno == 0) errno = ENOSPC;
  return false;
}

// The end of a chain of links, whether there is something or not.
std::filesystem::path Target(std::filesystem::path path) {
  std::error_code error;
  for (int links = 0; links < kMostLinks && std::filesystem::is_symlink(path, error); ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / next;  // which is `next` where that is absolute
  }
  return path;
}

// Writes a new file beside the old one and renames it.
absl::Status Replace(const std::string& file, const std::string& text) {
  const std::string target = Target(file).string();
  const std::string fresh = absl::StrCat(target, ".", ::getpid());
  ::unlink(fresh.c_str());  // of one that was killed here, with this number, as a container gives it again
  const base::Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd.valid()) return Failed(file);
  if (WriteAll(fd.get(), text) && std::rename(fresh.c_str(), target.c_str()) == 0) return absl::OkStatus();
  absl::Status failed = Failed(file);
  ::unlink(fresh.c_str());
  return failed;
}

bool IsReadable(int fd, int wait_ms) {
  pollfd in{fd, POLLIN, 0};
  return ::poll(&in, 1, wait_ms) > 0;
}

absl::Status WriteInto(const std::string& file, bool is_pipe, const std::string& text, int end) {
  const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  base::Fd fd(::open(file.c_str(), flags));
  while (!fd.valid() && is_pipe && errno == ENXIO) {
    if (IsReadable(end, kReaderPollMs)) return absl::OkStatus();
    fd = base::Fd(::open(file.c_str(), flags));
  }
  return fd.valid() && WriteAll(fd.get(), text) ? absl::OkStatus() : Failed(file);
}

// Whether `fd` of this process is that file.
bool IsOpenAs(const struct stat& file, int fd) {
  struct stat open {};
  return ::fstat(fd, &open) == 0 && open.st_dev == file.st_dev && open.st_ino == file.st_ino;
}

}  // namespace

absl::Status WritePort(const std::string& file, int port, int end) {
  const std::string text = absl::StrCat(port, "\n");
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return errno == ENOENT ? Replace(file, text) : Failed(file);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {  // which may be a file with a log, or a socket
    if (IsOpenAs(facts, fd)) return WriteAll(fd, text) ? absl::OkStatus() : Failed(file);
  }
  return S_ISREG(facts.st_mode) ? Replace(file, text) : WriteInto(file, S_ISFIFO(facts.st_mode), text, end);
}

}  // namespace twinkle::driver
