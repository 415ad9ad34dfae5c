#include "worker/same_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"

namespace twinkle::worker {

absl::StatusOr<rpc::Fd> OpenForPath(const std::string& path) {
  rpc::Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat found {};
  if (!file.valid() || ::fstat(file.get(), &found) != 0) return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(found.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is no regular file"));
  return file;
}

absl::StatusOr<rpc::Fd> OpenForReading(const std::string& path) {
  TWINKLE_ASSIGN_OR_RETURN(const rpc::Fd file, OpenForPath(path));
  rpc::Fd reading(::open(absl::StrCat("/proc/self/fd/", file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!reading.valid()) return absl::ErrnoToStatus(errno, path);
  return reading;
}

absl::StatusOr<rpc::Fd> OpenIfSame(const std::string& path, const std::string& digest) {
  if (digest.empty()) return OpenForPath(path);
  TWINKLE_ASSIGN_OR_RETURN(rpc::Fd file, OpenForReading(path));
  TWINKLE_ASSIGN_OR_RETURN(const std::string own, rpc::FileDigest(file.get()));
  if (own == digest) return file;
  return absl::FailedPreconditionError(absl::StrCat(path, " is another file than the program's (its SHA-256 is ", own,
                                                    ", not ", digest, "): put the same one there"));
}

}  // namespace twinkle::worker
