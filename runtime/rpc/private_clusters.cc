#include "runtime/rpc/private_clusters.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

namespace twinkle::rpc {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostRecordBytes = 4096;
constexpr int kRecordTries = 10;  // attempts to make a record in a folder that others remove when it is empty

// Checks that the folder was made by this user, and is closed to others.
absl::Status CheckFolder(const std::string& folder) {
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) return absl::ErrnoToStatus(errno, folder);
  if (S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid() && (facts.st_mode & 077) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(folder, " is another user's, or open to others"));
}

// Makes a new record. NotFound: the folder was empty and somebody has just removed it. PermissionDenied and other
// errors: why it cannot be made.
absl::StatusOr<base::Fd> NewRecord(const std::string& folder, const std::string& path) {
  ::mkdir(folder.c_str(), 0700);  // fails if the folder exists, which is fine
  if (absl::Status bad = CheckFolder(folder); !bad.ok()) return bad;
  ::chmod(folder.c_str(), 0700);  // the umask may have taken bits away
  ::unlink(path.c_str());         // left by an earlier process of that number
  base::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return absl::ErrnoToStatus(errno, path);
  ::fchmod(file.get(), 0600);
  return file;
}

void RemoveRecord(const fs::path& record) {
  ::unlink(record.c_str());
  ::rmdir(record.parent_path().c_str());  // fails while the folder has other records
}

std::optional<PrivateClusterFacts> FactsIn(int fd) {
  std::array<char, kMostRecordBytes> bytes{};
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  if (got <= 0) return std::nullopt;
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(bytes.data(), static_cast<size_t>(got)), absl::ByAnyChar(" \n"));
  PrivateClusterFacts facts;
  if (words.size() < 3 || !absl::SimpleAtoi(words[0], &facts.program)) return std::nullopt;
  facts.target = words[1];
  facts.token = words[2];
  return facts;
}

}  // namespace

std::string PrivateClustersFolder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/' && ::access(runtime, W_OK) == 0) return absl::StrCat(runtime, "/twinkle");
  return absl::StrCat("/tmp/twinkle-", ::geteuid());
}

absl::StatusOr<PrivateClusterRecord> PrivateClusterRecord::Write(const std::string& folder,
                                                                 const PrivateClusterFacts& facts) {
  std::string path = absl::StrCat(folder, "/", facts.program);
  absl::StatusOr<base::Fd> made = NewRecord(folder, path);
  for (int i = 1; i < kRecordTries && absl::IsNotFound(made.status()); ++i) made = NewRecord(folder, path);
  if (!made.ok()) return made.status();
  base::Fd file = *std::move(made);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return absl::ErrnoToStatus(errno, path);
  const std::string text = absl::StrCat(facts.program, " ", facts.target, " ", facts.token, "\n");
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    ::unlink(path.c_str());
    return absl::UnavailableError(absl::StrCat(path, " cannot be written"));
  }
  return PrivateClusterRecord(std::move(path), std::move(file));
}

PrivateClusterRecord::~PrivateClusterRecord() {
  if (lock_.valid()) RemoveRecord(path_);
}

absl::Status CheckPrivateClusters(const std::string& folder) {
  const absl::Status checked = CheckFolder(folder);
  if (absl::IsNotFound(checked) || (checked.ok() && ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0)) {
    return absl::OkStatus();
  }
  const std::string why =
      checked.ok() ? absl::StrCat(folder, " has a mode that keeps its user out") : std::string(checked.message());
  return absl::PermissionDeniedError(absl::StrCat("private clusters of this user cannot be found: ", why,
                                                  ": remove it, or set XDG_RUNTIME_DIR to a folder of your own"));
}

void RemovePrivateCluster(const std::string& folder, pid_t program) {
  if (!CheckFolder(folder).ok()) return;
  const std::string path = absl::StrCat(folder, "/", program);
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.valid() && ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) RemoveRecord(path);
}

std::vector<PrivateClusterFacts> PrivateClusters(const std::string& folder) {
  std::vector<PrivateClusterFacts> all;
  if (!CheckFolder(folder).ok()) return all;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const base::Fd file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) continue;
    const std::optional<PrivateClusterFacts> facts = FactsIn(file.get());
    const bool is_left_over = ::flock(file.get(), LOCK_SH | LOCK_NB) == 0;
    if (is_left_over && facts) RemoveRecord(entry.path());
    if (!is_left_over && facts) all.push_back(*facts);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.program < b.program; });
  return all;
}

}  // namespace twinkle::rpc
