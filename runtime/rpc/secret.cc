#include "runtime/rpc/secret.h"

#include <absl/strings/escaping.h>
#include <sys/random.h>

#include <array>

namespace twinkle::rpc {

std::string NewSecret() {
  std::array<char, 32> bytes{};
  size_t filled = 0;
  while (filled < bytes.size()) {  // signals may cut it short
    const ssize_t got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got > 0) filled += static_cast<size_t>(got);
  }
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

bool SecretsEqual(std::string_view a, std::string_view b) {
  if (a.empty() || a.size() != b.size()) return false;
  volatile unsigned char differences = 0;
  for (size_t i = 0; i < a.size(); ++i) differences = differences | static_cast<unsigned char>(a[i] ^ b[i]);
  return differences == 0;
}

}  // namespace twinkle::rpc
