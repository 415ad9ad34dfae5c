#include "runtime/rpc/token.h"

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "runtime/rpc/fd_channel.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {
namespace {

constexpr size_t kMostTokenBytes = 4096;

absl::Status Because(const std::string& what, const std::string& file) {
  return absl::ErrnoToStatus(errno, absl::StrCat("the token file ", file, " cannot be ", what));
}

}  // namespace

std::string DefaultTokenFile() {
  if (const char* file = std::getenv("TWINKLE_TOKEN_FILE"); file != nullptr && *file != '\0') return file;
  const char* home = std::getenv("HOME");
  return absl::StrCat(home == nullptr || *home == '\0' ? "/root" : home, "/.twinkle/token");
}

absl::StatusOr<std::string> ReadToken(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Because("opened", file);
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return Because("read", file);
  if ((facts.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the token file ", file, " can be read by others: chmod 600 ", file));
  }
  std::array<char, kMostTokenBytes> bytes{};
  const ssize_t got = ::read(fd.get(), bytes.data(), bytes.size());
  if (got < 0) return Because("read", file);
  std::string token(absl::StripAsciiWhitespace({bytes.data(), static_cast<size_t>(got)}));
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat("the token file ", file, " is empty"));
  return token;
}

absl::StatusOr<std::string> ReadOrMakeToken(const std::string& file) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, ignored)) {
    std::filesystem::create_directories(folder, ignored);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
  }
  // Written beside it and linked: who starts at the same time reads a whole token, and the same.
  const std::string fresh = absl::StrCat(file, ".", ::getpid());
  {
    const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return ::access(file.c_str(), F_OK) == 0 ? ReadToken(file) : Because("made", file);
    const std::string text = NewSecret() + "\n";
    const bool written = ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (written) (void)!::link(fresh.c_str(), file.c_str());
    ::unlink(fresh.c_str());
    if (!written) return Because("written", file);
  }
  return ReadToken(file);
}

}  // namespace twinkle::rpc
