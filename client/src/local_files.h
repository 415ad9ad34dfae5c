// The files of InitializeOptions.files for ranks that are in the program's own process.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace twinkle::internal {

// A folder with a link to each file, by its base name, that $TWINKLE_FILES names for as long as this lives.
class LocalFiles {
 public:
  // Makes the folder. InvalidArgument: a file is not there or is a folder, or two have one base name.
  static absl::StatusOr<std::unique_ptr<LocalFiles>> Make(const std::vector<std::string>& files);
  ~LocalFiles();
  LocalFiles(const LocalFiles&) = delete;
  LocalFiles& operator=(const LocalFiles&) = delete;

 private:
  explicit LocalFiles(std::string folder) : folder_(std::move(folder)) {}
  const std::string folder_;
};

}  // namespace twinkle::internal
