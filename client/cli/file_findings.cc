#include "client/cli/file_findings.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/base/bytes_text.h"
#include "runtime/rpc/token.h"

namespace twinkle::cli {
namespace {

using Level = Finding::Level;

constexpr char kToken[] = "token";
constexpr char kSpill[] = "spill folder";
constexpr char kOtherFolder[] = ": set TWINKLE_SPILL_DIR to a folder on a disk with room";

Finding NoFolder(const std::string& folder) {
  return {Level::kBad, kSpill,
          absl::StrCat("results that do not fit into memory cannot go to ", folder, " (", std::strerror(errno), ")",
                       kOtherFolder)};
}

}  // namespace

Finding TokenFinding(const std::string& file, bool needed) {
  const absl::Status read = rpc::ReadToken(file).status();
  if (read.ok()) return {Level::kFine, kToken, absl::StrCat(file, " has one, for this user's eyes only")};
  const bool missing = absl::IsNotFound(read) || file.empty();
  if (missing && needed) {
    return {Level::kBad, kToken,
            absl::StrCat(read.message(), ": copy the driver's, or name it with --token-file or TWINKLE_TOKEN_FILE")};
  }
  if (missing) {
    return {Level::kNote, kToken,
            absl::StrCat(read.message(), ": twinkle-driver makes one, which the cluster's other machines need, too")};
  }
  return {Level::kBad, kToken, std::string(read.message())};
}

Finding RoomFinding(const std::string& folder, uint64_t free_bytes) {
  const std::string room = absl::StrCat(folder, ", for results that do not fit into memory, ");
  if (free_bytes == 0) return {Level::kBad, kSpill, absl::StrCat(room, "is on a disk that is full", kOtherFolder)};
  const std::string has = absl::StrCat(room, "has ", base::BytesText(free_bytes), " of room");
  if (free_bytes < kLittleRoom) return {Level::kNote, kSpill, absl::StrCat(has, kOtherFolder)};
  return {Level::kFine, kSpill, has};
}

Finding SpillFinding(const std::string& folder) {
  struct statvfs facts {};
  // The dot behind it: it is a folder.
  if (::access(absl::StrCat(folder, "/.").c_str(), W_OK | X_OK) != 0) return NoFolder(folder);
  if (::statvfs(folder.c_str(), &facts) != 0) return NoFolder(folder);
  return RoomFinding(folder, uint64_t{facts.f_bavail} * facts.f_frsize);
}

}  // namespace twinkle::cli
