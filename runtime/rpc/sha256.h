// SHA-256 of bytes that come in parts.
#pragma once

#include <openssl/sha.h>

#include <string>
#include <string_view>

namespace twinkle::rpc {

// OpenSSL's plain functions: what replaces them there, digests of a provider, costs each process that starts it 350 KB
// and milliseconds, and cannot be linked in alone.
class Sha256 {
 public:
  Sha256();

  void Add(std::string_view bytes);

  // The 32 bytes. Call once, at the end.
  std::string Digest();

 private:
  SHA256_CTX context_;
};

}  // namespace twinkle::rpc
