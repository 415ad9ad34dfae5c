#include "runtime/rpc/wire_limits.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "runtime/base/status.h"

namespace twinkle::rpc {
namespace {

// The largest numbers of seconds. The kernel sets the first two, for TCP_KEEPIDLE and for TCP_KEEPCNT, which
// keep_alive.cc counts in seconds. The third is this library's own.
constexpr std::array<int, 3> kMostSeconds = {32767, 127, 24 * 3600};
constexpr char kVariable[] = "TWINKLE_WIRE_LIMITS";

}  // namespace

absl::StatusOr<WireLimits> ParseWireLimits(absl::string_view text) {
  WireLimits limits;
  if (text.empty()) return limits;
  const std::vector<absl::string_view> words = absl::StrSplit(text, ',');
  std::array<int, 3> seconds{};
  bool good = words.size() == seconds.size();
  for (size_t i = 0; good && i < seconds.size(); ++i) {
    good = absl::SimpleAtoi(words[i], &seconds[i]) && seconds[i] >= 1 && seconds[i] <= kMostSeconds[i];
  }
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not ASK,ANSWER,REDIAL: three whole numbers of seconds, as in 2,4,6, from 1 to ",
                     absl::StrJoin(kMostSeconds, ", ")));
  }
  limits.services = {.time = absl::Seconds(seconds[0]), .timeout = absl::Seconds(seconds[1])};
  limits.processes = limits.services;
  limits.redial.silence = absl::Seconds(seconds[2]);
  return limits;
}

absl::StatusOr<WireLimits> WireLimitsOfEnvironment() {
  const char* const text = std::getenv(kVariable);
  absl::StatusOr<WireLimits> limits = ParseWireLimits(text == nullptr ? "" : text);
  if (!limits.ok()) return base::Annotate(limits.status(), kVariable);
  return limits;
}

}  // namespace twinkle::rpc
