#include "worker/devices.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace twinkle::worker {
namespace {

constexpr int kMostOfType = 4096;

// A device type's name. It becomes part of the names of environment variables.
bool IsType(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char each) { return absl::ascii_isspace(each); });
}

}  // namespace

absl::StatusOr<std::map<std::string, int>> ParseDevices(const std::string& text) {
  std::map<std::string, int> devices;
  if (text == "none") return devices;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, ','))) {
    const std::vector<std::string> words = absl::StrSplit(part, ':');
    int64_t count = 0;
    if (words.size() != 2 || !IsType(words[0]) || !absl::SimpleAtoi(words[1], &count) || count < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("devices are given as TYPE:COUNT, several with commas (cuda:8), or none; not '", part, "'"));
    }
    if (words[0] == "cpu") {
      return absl::InvalidArgumentError(
          absl::StrCat("cpu is the type of groups without devices, whose ranks take slots (--cpus); not '", part, "'"));
    }
    if (count > kMostOfType) {
      return absl::InvalidArgumentError(
          absl::StrCat("a node has at most ", kMostOfType, " devices of a type, not '", part, "'"));
    }
    if (!devices.emplace(words[0], static_cast<int>(count)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the devices of type ", words[0], " are given twice: '", text, "'"));
    }
  }
  return devices;
}

std::map<std::string, int> DiscoverDevices() {
  std::map<std::string, int> devices;
  void* library = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return devices;
  const auto init = reinterpret_cast<int (*)()>(::dlsym(library, "nvmlInit_v2"));
  const auto count_devices = reinterpret_cast<int (*)(unsigned int*)>(::dlsym(library, "nvmlDeviceGetCount_v2"));
  const auto shutdown = reinterpret_cast<int (*)()>(::dlsym(library, "nvmlShutdown"));
  unsigned int count = 0;
  if (init != nullptr && count_devices != nullptr && shutdown != nullptr && init() == 0) {
    if (count_devices(&count) == 0 && count > 0) devices["cuda"] = static_cast<int>(count);
    shutdown();
  }
  ::dlclose(library);
  return devices;
}

}  // namespace twinkle::worker
