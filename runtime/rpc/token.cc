#include "runtime/rpc/token.h"

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "runtime/base/fd.h"
#include "runtime/base/open_regular.h"
#include "runtime/base/shortage.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMostTokenBytes = 4096;

absl::Status Because(int error, const std::string& what, const std::string& file) {
  return base::ErrnoStatus(error, absl::StrCat("the token file ", file, " cannot be ", what));
}

// The home directory; empty: neither the environment nor the system's list of users has one.
std::string HomeFolder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  std::array<char, kMostTokenBytes> text{};
  passwd user{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &user, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_dir;
}

absl::Status NoFile() {
  return absl::InvalidArgumentError(
      "no token file is named, and this user has no home directory to look in: set TWINKLE_TOKEN_FILE");
}

// Whether a token can be sent as a header of HTTP, which takes no other characters.
bool IsShowable(absl::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char each) { return absl::ascii_isprint(each); });
}

}  // namespace

std::string DefaultTokenFile() {
  if (const char* file = std::getenv("TWINKLE_TOKEN_FILE"); file != nullptr && *file != '\0') return file;
  const std::string home = HomeFolder();
  return home.empty() ? std::string() : home + "/.twinkle/token";
}

absl::StatusOr<std::string> ReadToken(const std::string& file) {
  if (file.empty()) return NoFile();
  const auto [fd, error] = base::OpenRegular(file, O_RDONLY);
  if (!fd.valid() && error == 0) {
    return absl::InvalidArgumentError(absl::StrCat("the token file ", file, " is no regular file"));
  }
  if (!fd.valid()) return Because(error, "opened", file);
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return Because(errno, "read", file);
  if ((facts.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the token file ", file, " can be read by others: chmod 600 ", file));
  }
  std::array<char, kMostTokenBytes + 1> bytes{};
  const ssize_t got = ::read(fd.get(), bytes.data(), bytes.size());
  if (got < 0) return Because(errno, "read", file);
  if (static_cast<size_t>(got) > kMostTokenBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token file ", file, " has more than ", kMostTokenBytes, " bytes"));
  }
  std::string token(absl::StripAsciiWhitespace({bytes.data(), static_cast<size_t>(got)}));
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat("the token file ", file, " is empty"));
  if (!IsShowable(token)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token file ", file,
                     " has a second line, or bytes that are no printable ASCII: a token is one line of it"));
  }
  return token;
}

absl::StatusOr<std::string> ReadOrMakeToken(const std::string& file) {
  if (file.empty()) return NoFile();
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, ignored)) {
    std::filesystem::create_directories(folder, ignored);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
  }
  // The token is written to a file beside it, which is then linked. So processes that start at the same time read a
  // whole token, and the same one.
  const std::string fresh = absl::StrCat(file, ".", ::getpid());
  {
    const base::Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const int made = errno;
    if (!fd.valid()) return ::access(file.c_str(), F_OK) == 0 ? ReadToken(file) : Because(made, "made", file);
    const std::string text = NewSecret() + "\n";
    const bool written = ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (written) (void)!::link(fresh.c_str(), file.c_str());
    ::unlink(fresh.c_str());
    if (!written) return Because(errno, "written", file);
  }
  return ReadToken(file);
}

}  // namespace twinkle::rpc
