#include "worker/same_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>

#include <utility>

#include "runtime/base/open_regular.h"
#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"

namespace twinkle::worker {
namespace {

absl::StatusOr<base::Fd> OpenFor(int how, const std::string& path) {
  base::OpenedFile opened = base::OpenRegular(path, how);
  if (opened.fd.valid()) return std::move(opened.fd);
  if (opened.error != 0) return absl::ErrnoToStatus(opened.error, path);
  return absl::InvalidArgumentError(absl::StrCat(path, " is no regular file"));
}

}  // namespace

absl::StatusOr<base::Fd> OpenForPath(const std::string& path) { return OpenFor(O_PATH, path); }

absl::StatusOr<base::Fd> OpenForReading(const std::string& path) { return OpenFor(O_RDONLY, path); }

absl::StatusOr<base::Fd> OpenIfSame(const std::string& path, const std::string& digest) {
  if (digest.empty()) return OpenForPath(path);
  TWINKLE_ASSIGN_OR_RETURN(base::Fd file, OpenForReading(path));
  TWINKLE_ASSIGN_OR_RETURN(const std::string own, rpc::FileDigest(file.get()));
  if (own == digest) return file;
  return absl::FailedPreconditionError(absl::StrCat(path, " is another file than the program's (its SHA-256 is ", own,
                                                    ", not ", digest, "): put the same one there"));
}

}  // namespace twinkle::worker
