#include "runtime/rpc/sha256.h"

#include <array>

// OpenSSL marks its plain functions as deprecated; sha256.h says why they are used.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace twinkle::rpc {

Sha256::Sha256() { SHA256_Init(&context_); }

void Sha256::Add(std::string_view bytes) { SHA256_Update(&context_, bytes.data(), bytes.size()); }

std::string Sha256::Digest() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &context_);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace twinkle::rpc

#pragma GCC diagnostic pop
