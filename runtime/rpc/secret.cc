#include "runtime/rpc/secret.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
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

std::string TicketFor(const std::string& secret, uint64_t job) {
  const std::string text = absl::StrCat("guest ", job);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(code.data()), size});
}

bool SecretsEqual(std::string_view a, std::string_view b) {
  if (a.empty() || a.size() != b.size()) return false;
  volatile unsigned char differences = 0;
  for (size_t i = 0; i < a.size(); ++i) differences = differences | static_cast<unsigned char>(a[i] ^ b[i]);
  return differences == 0;
}

}  // namespace twinkle::rpc
