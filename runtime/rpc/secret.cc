#include "runtime/rpc/secret.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include <array>
#include <cstring>

#include "runtime/rpc/sha256.h"

namespace twinkle::rpc {
namespace {

// A digest of 32 bytes, which reveals neither the secret nor the digest for another purpose: SHA-256 of the purpose, a
// zero byte, and the secret. Nobody can guess the secret's 256 random bits. The zero byte ends the purpose, so no two
// purposes have the same input.
std::string Digest(const std::string& secret, const std::string& purpose) {
  Sha256 digest;
  digest.Add({purpose.c_str(), purpose.size() + 1});
  digest.Add(secret);
  return digest.Digest();
}

}  // namespace

std::string NewSecret() {
  std::array<char, 32> bytes{};
  size_t filled = 0;
  while (filled < bytes.size()) {  // a signal may end the call early
    const ssize_t got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got > 0) filled += static_cast<size_t>(got);
  }
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

std::string TicketFor(const std::string& secret, uint64_t job) {
  return absl::BytesToHexString(Digest(secret, absl::StrCat("guest ", job)));
}

base::JobKey JobKeyOf(const std::string& secret) {
  const std::string digest = Digest(secret, "job");
  base::JobKey key = 0;
  std::memcpy(&key, digest.data(), sizeof(key));
  return key != 0 ? key : 1;
}

std::string CommandTicket(const std::string& secret) { return absl::BytesToHexString(Digest(secret, "command")); }

bool SecretsEqual(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace twinkle::rpc
