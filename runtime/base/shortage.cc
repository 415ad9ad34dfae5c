#include "runtime/base/shortage.h"

#include <absl/strings/str_cat.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace twinkle::base {
namespace {

constexpr rlim_t kLeastOpenFiles = 64;  // for a process that has no peers yet
constexpr rlim_t kLeastStackKiB = 128;  // also the default of threads; gRPC crashes with 64

rlim_t MostOpenFiles() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::string OpenFiles(rlim_t most) {
  return absl::StrCat("this process may have ", most,
                      " open files: allow it more (ulimit -n; LimitNOFILE= of a service of systemd)");
}

}  // namespace

absl::string_view ShortageOf(int error) {
  switch (error) {
    case ENOBUFS:
    case ENOMEM:
      return "the kernel's memory for sockets";
    case ETOOMANYREFS:
      return "descriptors on their way to other processes (the limit is that of open files, ulimit -n)";
    case EMFILE:
    case ENFILE:
      return "open descriptors (ulimit -n)";
    default:
      return "";
  }
}

absl::Status ErrnoStatus(int error, absl::string_view what) {
  absl::Status status = absl::ErrnoToStatus(error, what);
  if (error == EMFILE) return absl::Status(status.code(), absl::StrCat(what, ": ", OpenFiles(MostOpenFiles())));
  if (error != ENFILE) return status;
  return absl::Status(status.code(),
                      absl::StrCat(what, ": the machine has as many open files as it may: raise fs.file-max"));
}

absl::Status CheckProcess() {
  const rlim_t most = MostOpenFiles();
  if (most < kLeastOpenFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("at least ", kLeastOpenFiles, " are needed, and ", OpenFiles(most)));
  }
  if (rlimit stack{}; ::getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur < kLeastStackKiB * 1024) {
    return absl::ResourceExhaustedError(absl::StrCat("a stack of ", kLeastStackKiB,
                                                     " KiB is needed, and this process may have ",
                                                     stack.rlim_cur / 1024, ": allow it more (ulimit -s)"));
  }
  if (::access("/proc/self/stat", R_OK) != 0) {
    return absl::FailedPreconditionError(
        "/proc is not mounted here, by which processes are started and told apart: mount it (mount -t proc proc "
        "/proc)");
  }
  if (::access("/dev/null", R_OK | W_OK) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "/dev/null cannot be opened here, which the processes that are started read from and write to: mount /dev, or "
      "make it (mknod -m 666 /dev/null c 1 3)");
}

}  // namespace twinkle::base
