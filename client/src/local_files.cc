#include "client/src/local_files.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "runtime/base/status.h"

namespace twinkle::internal {
namespace {

constexpr char kVariable[] = "TWINKLE_FILES";

absl::Status Bad(const std::string& file, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("InitializeOptions.files: ", file, " ", why));
}

absl::Status Link(const std::string& folder, const std::string& file) {
  std::error_code error;
  const std::filesystem::path from = std::filesystem::absolute(file, error);
  if (error || !std::filesystem::exists(from, error)) return Bad(file, "is not there");
  if (std::filesystem::is_directory(from, error)) return Bad(file, "is a folder");
  std::filesystem::create_symlink(from, std::filesystem::path(folder) / from.filename(), error);
  if (error == std::errc::file_exists) return Bad(file, "has the base name of another file");
  if (error) return absl::UnavailableError(absl::StrCat("cannot link ", file, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalFiles>> LocalFiles::Make(const std::vector<std::string>& files) {
  std::error_code error;
  std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string folder = (std::filesystem::absolute(base, error) / "twinkle-files-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a folder for InitializeOptions.files: ", folder));
  }
  std::unique_ptr<LocalFiles> made(new LocalFiles(folder));
  for (const std::string& file : files) TWINKLE_RETURN_IF_ERROR(Link(folder, file));
  setenv(kVariable, folder.c_str(), /*overwrite=*/1);
  return made;
}

LocalFiles::~LocalFiles() {
  const char* const named = std::getenv(kVariable);
  if (named != nullptr && folder_ == named) unsetenv(kVariable);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace twinkle::internal
