#include "client/src/program_files.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>

#include <cerrno>
#include <filesystem>
#include <map>

#include "runtime/base/fd.h"
#include "runtime/base/open_regular.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"

namespace twinkle::internal {
namespace {

absl::Status Refuse(const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("InitializeOptions.files: ", why));
}

absl::Status CheckNames(const std::vector<std::string>& files) {
  std::map<std::string, std::string> paths;
  for (const std::string& file : files) {
    const auto [other, is_new] = paths.emplace(std::filesystem::path(file).filename().string(), file);
    if (is_new) continue;
    return Refuse(absl::StrCat(other->second, " and ", file, " have one base name, by which ranks find them"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::File> FileOf(const std::string& path, bool digest) {
  v1::File file;
  const auto [fd, error] = base::OpenRegular(path, O_RDONLY);
  if (!fd.valid() && error == 0) {
    return Refuse(absl::StrCat(path, " is no regular file: name the files that are to be brought one by one"));
  }
  if (!fd.valid()) return Refuse(std::string(base::ErrnoStatus(error, path).message()));
  std::error_code ignored;
  file.set_path(std::filesystem::absolute(path, ignored).string());
  if (!digest) return file;
  TWINKLE_ASSIGN_OR_RETURN(*file.mutable_digest(), rpc::FileDigest(fd.get()));
  return file;
}

}  // namespace

absl::StatusOr<std::string> OwnDigest() {
  const base::Fd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!self.valid()) {
    return base::ErrnoStatus(errno, "this program's file cannot be read, which other nodes need to check their copy");
  }
  return rpc::FileDigest(self.get());
}

absl::StatusOr<std::vector<v1::File>> DescribeFiles(const std::vector<std::string>& files, bool digests) {
  TWINKLE_RETURN_IF_ERROR(CheckNames(files));
  std::vector<v1::File> described;
  described.reserve(files.size());
  for (const std::string& path : files) {
    TWINKLE_ASSIGN_OR_RETURN(v1::File file, FileOf(path, digests));
    described.push_back(std::move(file));
  }
  return described;
}

}  // namespace twinkle::internal
