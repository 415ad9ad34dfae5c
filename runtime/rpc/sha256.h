// SHA-256 of bytes that come in parts.
#pragma once

#include <openssl/sha.h>

#include <string>
#include <string_view>

namespace twinkle::rpc {

// A SHA-256 digest over OpenSSL's plain functions. OpenSSL recommends digests of a provider instead; these cost each
// process 350 KB and milliseconds at start, and cannot be linked in alone. For one thread at a time.
class Sha256 {
 public:
  Sha256();

  // Appends bytes to what is digested.
  void Add(std::string_view bytes);

  // The digest, 32 bytes. Must be called once, at the end.
  std::string Digest();

 private:
  SHA256_CTX context_;
};

}  // namespace twinkle::rpc
