#include "worker/devices.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/device/nvml.h"

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
  if (const int cuda = device::AskNvml().devices; cuda > 0) devices["cuda"] = cuda;
  return devices;
}

}  // namespace twinkle::worker
